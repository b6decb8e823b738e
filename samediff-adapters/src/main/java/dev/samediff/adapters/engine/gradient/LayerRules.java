package dev.samediff.adapters.engine.gradient;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;

/** Softmax, attention, normalisations and the cross entropy, each with a kernel for its gradient. */
final class LayerRules {
    private LayerRules() {}

    static void register(Map<Class<? extends Op>, Rule> table) {
        table.put(Op.Softmax.class, LayerRules::softmax);
        table.put(Op.Attention.class, LayerRules::attention);
        table.put(Op.LayerNorm.class, LayerRules::layerNorm);
        table.put(Op.RmsNorm.class, LayerRules::rmsNorm);
        table.put(Op.CrossEntropy.class, LayerRules::crossEntropy);
    }

    private static void softmax(Node node, Tensor g, Backward backward) {
        Tensor y = node.output();
        backward.add(node.input(0), backward.builder().add(new Op.SoftmaxGrad(), List.of(y, g), y.type(), y.shape()));
    }

    private static void attention(Node node, Tensor g, Backward backward) {
        Op.Attention op = (Op.Attention) node.op();
        List<Tensor> inputs = new ArrayList<>(List.of(g));
        inputs.addAll(node.inputs());
        List<Tensor> parts = node.inputs().subList(0, 3);
        List<Tensor> gradients = backward.builder()
                .add(
                        new Op.AttentionGrad(op.scale(), op.mask()),
                        inputs,
                        parts.stream().map(Tensor::type).toList(),
                        parts.stream().map(Tensor::shape).toList());
        for (int i = 0; i < 3; i++) {
            backward.add(node.input(i), gradients.get(i));
        }
    }

    private static void layerNorm(Node node, Tensor g, Backward backward) {
        Op.LayerNorm op = (Op.LayerNorm) node.op();
        Tensor x = node.input(0);
        boolean parameters = node.inputs().stream().skip(1).anyMatch(backward::wants);
        List<Tensor> inputs = new ArrayList<>(
                List.of(g, x, node.outputs().get(1), node.outputs().get(2)));
        if (op.scale()) {
            inputs.add(node.input(1));
        }
        List<Tensor> gradients = gradients(
                new Op.LayerNormGrad(op.epsilon(), op.scale(), parameters), inputs, x, parameters ? 2 : 0, backward);
        backward.add(x, gradients.get(0));
        if (parameters) {
            backward.add(node.input(1), gradients.get(1));
            if (op.shift()) {
                backward.add(node.input(2), gradients.get(2));
            }
        }
    }

    private static void rmsNorm(Node node, Tensor g, Backward backward) {
        Op.RmsNorm op = (Op.RmsNorm) node.op();
        Tensor x = node.input(0);
        boolean parameters = op.scale() && backward.wants(node.input(1));
        List<Tensor> inputs = new ArrayList<>(List.of(g, x, node.outputs().get(1)));
        if (op.scale()) {
            inputs.add(node.input(1));
        }
        List<Tensor> gradients =
                gradients(new Op.RmsNormGrad(op.scale(), parameters), inputs, x, parameters ? 1 : 0, backward);
        backward.add(x, gradients.get(0));
        if (parameters) {
            backward.add(node.input(1), gradients.get(1));
        }
    }

    private static List<Tensor> gradients(Op op, List<Tensor> inputs, Tensor x, int parameters, Backward backward) {
        List<DataType> types = new ArrayList<>(List.of(DataType.FLOAT));
        List<long[]> shapes = new ArrayList<>(List.of(x.shape()));
        for (int i = 0; i < parameters; i++) {
            types.add(DataType.FLOAT);
            shapes.add(new long[] {x.size(-1)});
        }
        return backward.builder().add(op, inputs, types, shapes);
    }

    private static void crossEntropy(Node node, Tensor g, Backward backward) {
        Tensor logits = node.input(0);
        List<Tensor> inputs =
                List.of(logits, node.input(1), node.input(2), node.outputs().get(1), g);
        backward.add(logits, backward.builder().add(new Op.CrossEntropyGrad(), inputs, logits.type(), logits.shape()));
    }
}
