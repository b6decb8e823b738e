package dev.samediff.importer.lowering;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.folding.Axes;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * One node being translated: its attributes, its inputs and the graph it is translated into.
 *
 * @param node the node
 * @param inputs its inputs; null where an optional input is absent
 * @param builder the graph
 * @param opset version of the operator set
 * @param read names of all values that some node or output reads
 * @param notes takes remarks for the report
 */
public record NodeCall(
        OnnxNode node,
        List<@Nullable Value> inputs,
        GraphBuilder builder,
        int opset,
        Set<String> read,
        Consumer<String> notes) {

    /** Returns a required input. */
    public Value in(int index) {
        return optional(index).orElseThrow(() -> refused("lacks input " + index + "; the graph is not valid ONNX"));
    }

    /** Returns an input that may be absent. */
    public Optional<Value> optional(int index) {
        return index < inputs.size() ? Optional.ofNullable(inputs.get(index)) : Optional.empty();
    }

    /** Returns the elements of an input that must be known or sizes. */
    public HostTensor known(int index, String what) {
        HostTensor content = in(index).content();
        if (content == null) {
            throw refused("computes its " + what + " from the data; only " + what
                    + " that follow from sizes can be imported");
        }
        return content;
    }

    /** Tells whether nothing reads the value. */
    public boolean isUnread(String value) {
        return !read.contains(value);
    }

    /** Returns the SameDiff graph. */
    public SameDiff graph() {
        return builder.graph();
    }

    /** Returns an axis attribute counted from the front. */
    public int axis(String attribute, long otherwise, int rank) {
        return Axes.normalise(node, node.integer(attribute, otherwise), rank);
    }

    /** Returns the axes counted from the front: an attribute in older operator sets, an input in newer; null if absent. */
    public int @Nullable [] axes(int index, int rank) {
        long[] given = node.integers("axes");
        if (given == null && optional(index).isPresent()) {
            given = known(index, "axes").asLongs();
        }
        return given == null ? null : Axes.normalise(node, given, rank);
    }

    /** Returns one output. */
    public List<Value> result(SDVariable variable, DataType type, List<Dim> dims) {
        return List.of(Value.computed(variable, type, dims));
    }

    /** Returns one output with the type and sizes of {@code like}. */
    public List<Value> result(SDVariable variable, Value like) {
        return result(variable, like.type(), like.dims());
    }

    /** Returns the refusal of this node, with the node in front of the reason. */
    public InvalidInputException refused(String reason) {
        return new InvalidInputException(node + " " + reason);
    }
}
