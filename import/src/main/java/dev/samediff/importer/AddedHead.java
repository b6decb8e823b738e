package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.importer.onnx.HeadNodes;
import dev.samediff.importer.onnx.OnnxWeightEditor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A head on an imported graph.
 *
 * @param head the head
 * @param logits name of its result
 * @param features what it is on
 * @param mask the attention mask, if the head needs one
 */
record AddedHead(TaskHead head, String logits, TensorSpec features, Optional<TensorSpec> mask) {
    /** Puts a head on an output of the graph. */
    static AddedHead add(SameDiff graph, TaskHead head, TensorSpec features, List<TensorSpec> inputs) {
        long[] shape = features.shape();
        int axes = head.pooling() == Pooling.GIVEN ? 2 : 3;
        if (shape.length != axes || shape[axes - 1] < 1) {
            throw new InvalidInputException("the output '" + features.name() + "' is " + features.dims()
                    + "; a head of pooling " + head.pooling() + " needs [batch, " + (axes == 3 ? "tokens, " : "")
                    + "width] with a width that the file says. Choose another output or pooling, or add the head by"
                    + " TaskHead.addTo, which takes the width");
        }
        boolean masked = head.pooling() == Pooling.MEAN || head.pooling() == Pooling.LAST;
        Optional<TensorSpec> mask = inputs.stream()
                .filter(input -> masked && input.name().contains("attention_mask"))
                .findFirst();
        if (masked && mask.isEmpty()) {
            throw new InvalidInputException("a head of pooling " + head.pooling()
                    + " needs the attention mask, and no input is called so; the inputs are "
                    + inputs.stream().map(TensorSpec::name).toList() + ". Pool by the first token, or add the head by"
                    + " TaskHead.addTo, which takes the mask's name");
        }
        String logits = head.addTo(graph, features.variable(), (int) shape[axes - 1], mask.map(TensorSpec::variable));
        return new AddedHead(head, logits, features, mask);
    }

    /** Tells whether a variable of the graph is one of the head's two tensors. */
    boolean owns(String variable) {
        return variable.equals(weight()) || variable.equals(bias());
    }

    private String weight() {
        return head.module() + ".weight";
    }

    private String bias() {
        return head.module() + ".bias";
    }

    /**
     * Appends the head to the file.
     *
     * @param weights new values by variable; those that it lacks are the graph's
     */
    void write(OnnxWeightEditor editor, SameDiff graph, Map<String, INDArray> weights) {
        new HeadNodes(editor, head, editor.outputType(features.name()))
                .append(
                        logits,
                        features.name(),
                        mask.map(TensorSpec::name).orElse(""),
                        value(graph, weights, weight()),
                        value(graph, weights, bias()));
    }

    private static INDArray value(SameDiff graph, Map<String, INDArray> weights, String name) {
        INDArray value = weights.get(name);
        return value == null ? graph.getVariable(name).getArr() : value;
    }
}
