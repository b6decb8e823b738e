package dev.samediff.importer.lowering;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.folding.HostFolding;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensor.NotValid;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Translates single nodes: evaluated if their inputs are known, else lowered to SameDiff operators.
 *
 * @param builder the graph
 * @param opset version of the operator set the nodes are of
 * @param read names of all values of the file that some node or output reads
 * @param notes takes remarks for the report
 */
record Translator(GraphBuilder builder, int opset, Set<String> read, Consumer<String> notes) {
    private static final int NAMED_ELEMENTS = 8;

    /** The same for nodes of another operator set. */
    Translator withOpset(int other) {
        return new Translator(builder, other, read, notes);
    }

    /** Returns the node's outputs. */
    List<Value> translate(OnnxNode node, List<@Nullable Value> inputs) {
        try {
            Optional<List<HostTensor>> folded = fold(node, inputs);
            NodeCall call = new NodeCall(node, inputs, this);
            List<Value> results = folded.isPresent()
                    ? folded.get().stream().map(builder::constant).toList()
                    : Operators.of(node.operator()).lower(call);
            results.forEach(result -> Holdable.require(call, result.dims()));
            if (results.stream().anyMatch(result -> result.rank() > HostTensor.MOST_AXES)) {
                throw new InvalidInputException(
                        node + " makes a tensor of more than " + HostTensor.MOST_AXES + " axes" + NotValid.ONNX);
            }
            List<Value> settled = results.stream()
                    .map(result -> settled(Wrapping.wrapped(builder, node.operator(), result)))
                    .toList();
            builder.origins().computed(node, inputs, settled);
            return settled;
        } catch (InvalidInputException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new InvalidInputException(
                    node + " with inputs " + inputs + " cannot be translated (" + e.getMessage()
                            + "): it is not valid ONNX, or beyond"
                            + " what this importer can do; look at it with onnx.checker.check_model, and write it of other operators",
                    e);
        }
    }

    private Optional<List<HostTensor>> fold(OnnxNode node, List<@Nullable Value> inputs) {
        List<@Nullable HostTensor> contents = new ArrayList<>();
        for (Value input : inputs) {
            if (input != null && input.content() == null) {
                return Optional.empty();
            }
            contents.add(input == null ? null : input.content());
        }
        return HostFolding.fold(node, contents, opset, builder.budget());
    }

    /** Learns what the result's sizes are, and names the elements of small whole-number results. */
    private Value settled(Value result) {
        if (result.content() != null || result.stored() != null) {
            return result;
        }
        builder.sizes().learn(result);
        boolean small = result.rank() <= 1
                && (result.type() == DataType.LONG || result.type() == DataType.INT)
                && result.dims().stream().allMatch(dim -> dim.isKnown() && dim.known() <= NAMED_ELEMENTS);
        if (!small) {
            return result;
        }
        long[] shape = result.dims().stream().mapToLong(Dim::known).toArray();
        HostTensor elements = builder.sizes().name(result, shape);
        return new Value(result.type(), result.dims(), elements, null, result::variable);
    }
}
