package dev.samediff.importer.lowering;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.folding.Axes;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensor.NotValid;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 * @param translator what translates it, and the operators it is composed of
 */
record NodeCall(OnnxNode node, List<@Nullable Value> inputs, Translator translator) {
    /** The operator set of the operators that {@link #emit} takes. */
    static final int COMPOSITION_OPSET = 18;

    /** Returns a required input. */
    public Value in(int index) {
        return optional(index).orElseThrow(() -> invalid("lacks input " + index));
    }

    /** Returns an input that may be absent. */
    public Optional<Value> optional(int index) {
        return index < inputs.size() ? Optional.ofNullable(inputs.get(index)) : Optional.empty();
    }

    /** Returns the elements of an input that must be known or sizes. */
    public HostTensor known(int index, String what) {
        HostTensor content = in(index).content();
        if (content == null) {
            throw refused(
                    "computes its " + what + " from the data; only " + what + " that follow from sizes can be imported",
                    "export the model with a constant there");
        }
        return content;
    }

    /** Tells whether nothing reads the value. */
    public boolean isUnread(String value) {
        return !translator.read().contains(value);
    }

    /** Returns the graph under construction. */
    public GraphBuilder builder() {
        return translator.builder();
    }

    /** Returns the version of the operator set the node is of. */
    public int opset() {
        return translator.opset();
    }

    /** Returns what takes remarks for the report. */
    public Consumer<String> notes() {
        return translator.notes();
    }

    /**
     * Emits an ONNX operator of operator set {@value #COMPOSITION_OPSET} and returns its first output: fused operators are
     * composed of plain ones this way, folding included.
     *
     * @param operator the operator
     * @param attributes its attributes: whole and real numbers, texts, arrays of them
     * @param operands its inputs; null where an optional input is absent
     */
    public Value emit(String operator, Map<String, ?> attributes, @Nullable Value... operands) {
        return emitAll(operator, 1, attributes, operands).get(0);
    }

    /** As {@link #emit(String, Map, Value...)}, without attributes. */
    public Value emit(String operator, @Nullable Value... operands) {
        return emit(operator, Map.of(), operands);
    }

    /** As {@link #emit(String, Map, Value...)}, for operators with several outputs. */
    public List<Value> emitAll(String operator, int outputs, Map<String, ?> attributes, @Nullable Value... operands) {
        OnnxNode composed = OnnxNode.of(node.name(), operator, operands.length, outputs, attributes);
        return translator.withOpset(COMPOSITION_OPSET).translate(composed, Arrays.asList(operands));
    }

    /** Returns a known vector of whole numbers or sizes as an operand of {@link #emit}. */
    public Value vector(List<Dim> sizes) {
        return builder().constant(HostTensor.vector(sizes));
    }

    /** Returns a known vector of whole numbers as an operand of {@link #emit}. */
    public Value vector(long... numbers) {
        return builder().constant(HostTensor.vector(numbers));
    }

    /** Returns a known real number of a type as an operand of {@link #emit}. */
    public Value real(DataType type, double number) {
        return builder().constant(HostTensor.filled(type, new long[0], number));
    }

    /** Returns the SameDiff graph. */
    public SameDiff graph() {
        return builder().graph();
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

    /**
     * Returns the refusal of a node that is valid and cannot be imported.
     *
     * @param reason what the node does, with the values, and what can be imported instead
     * @param remedy what to do about it
     */
    public InvalidInputException refused(String reason, String remedy) {
        return new InvalidInputException(node + " " + reason + "; " + remedy);
    }

    /**
     * Returns the refusal of a node that breaks ONNX's rules.
     *
     * @param reason what is wrong, with the values
     */
    public InvalidInputException invalid(String reason) {
        return new InvalidInputException(node + " " + reason + NotValid.ONNX);
    }
}
