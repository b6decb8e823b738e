package dev.samediff.importer.cells;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;

/**
 * One operator on numbers of one type in one situation.
 *
 * @param operator the operator, with its domain in front unless it is ONNX's own
 * @param type the type that is varied
 * @param situation what is special about the numbers
 * @param opset version of the operator set
 * @param inputs the inputs in order
 * @param outputs how many outputs are read
 * @param attributes attributes of the node
 */
public record Cell(
        String operator,
        TensorProto.DataType type,
        String situation,
        int opset,
        List<Input> inputs,
        int outputs,
        Map<String, Object> attributes) {
    /**
     * An input of the node.
     *
     * @param numbers null where it is absent
     * @param parameter whether it is stored in every file, as axes and sizes are
     */
    record Input(@Nullable Numbers numbers, boolean parameter) {}

    /** Makes a cell; inputs are {@link Numbers}, {@code null}, or wrapped by {@link #stored}; then attributes in pairs. */
    static Cell of(
            String operator, TensorProto.DataType type, String situation, int opset, int outputs, Object... arguments) {
        List<Input> inputs = new ArrayList<>();
        int i = 0;
        for (; i < arguments.length && !(arguments[i] instanceof String); i++) {
            inputs.add(arguments[i] instanceof Input input ? input : new Input((Numbers) arguments[i], false));
        }
        Map<String, Object> attributes = new LinkedHashMap<>();
        for (; i < arguments.length; i += 2) {
            attributes.put((String) arguments[i], arguments[i + 1]);
        }
        return new Cell(operator, type, situation, opset, inputs, outputs, attributes);
    }

    /** An input that is stored in every file. */
    static Input stored(Numbers numbers) {
        return new Input(numbers, true);
    }

    /** An input that is absent. */
    static Input absent() {
        return new Input(null, true);
    }

    String title() {
        return operator + " of " + type + ", " + situation;
    }

    @Override
    public String toString() {
        return title() + " " + attributes + " " + inputs.stream().map(Input::numbers).toList();
    }
}
