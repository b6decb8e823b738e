package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.NotValid;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.nd4j.shade.protobuf.ByteString;
import org.tensorflow.framework.DataType;

/**
 * One node being translated: its attributes, its inputs as ONNX values, and the ONNX graph under construction.
 *
 * @param node the node
 * @param translation the graph
 */
record TensorFlowCall(TensorFlowNode node, Translation translation) {
    /** Returns the number of inputs. */
    int count() {
        return node.inputs().size();
    }

    /** Returns the ONNX value of an input. */
    String in(int index) {
        return translation.value(tensor(index));
    }

    /** Returns the name of the tensor of an input. */
    String tensor(int index) {
        if (index >= count()) {
            throw damaged("lacks input " + index);
        }
        return node.inputs().get(index);
    }

    /** Returns the elements of an input that the graph stores, or nothing if it is computed. */
    Optional<StoredTensor> stored(int index) {
        return translation.stored(tensor(index));
    }

    /** Returns the whole numbers of an input, which must be stored, or follow from the number of axes or known sizes. */
    long[] numbers(int index, String what) {
        return stored(index)
                .map(StoredTensor::longs)
                .or(() -> translation.known(tensor(index)))
                .orElseThrow(() -> refused(
                        "computes its " + what + " (input " + index + ", '" + tensor(index)
                                + "'); only constants, and what follows from the number of axes, can be imported there",
                        "freeze the graph with it as a constant"));
    }

    /** Returns the type that attribute T gives. */
    DataType type() {
        return node.type("T", DataType.DT_FLOAT);
    }

    /** Emits a node and returns the name of its first output. */
    String emit(String operator, Map<String, ?> attributes, String... inputs) {
        String name = translation.fresh(
                node.name() + "/" + operator.toLowerCase(Locale.ROOT).replace(":", "_"));
        translation.add(name, operator, attributes, new String[] {name}, inputs);
        return name;
    }

    /** As {@link #emit(String, Map, String...)}, without attributes. */
    String emit(String operator, String... inputs) {
        return emit(operator, Map.of(), inputs);
    }

    /** Emits the node that writes the first output; it is named like the TensorFlow node. */
    void result(String operator, Map<String, ?> attributes, String... inputs) {
        results(1, operator, attributes, inputs);
    }

    /** As {@link #result(String, Map, String...)}, without attributes. */
    void result(String operator, String... inputs) {
        result(operator, Map.of(), inputs);
    }

    /** Emits the node that writes the first outputs. */
    void results(int outputs, String operator, Map<String, ?> attributes, String... inputs) {
        String[] names = new String[outputs];
        for (int i = 0; i < outputs; i++) {
            names[i] = translation.fresh(node.output(i));
        }
        translation.add(node.name(), operator, attributes, names, inputs);
        for (int i = 0; i < outputs; i++) {
            bind(i, names[i]);
        }
    }

    /** Says that an output is a value that exists. */
    void bind(int output, String value) {
        translation.bind(node.output(output), value);
    }

    /** Returns a constant vector of whole numbers. */
    String vector(long... numbers) {
        return translation.constant(longs(numbers, numbers.length));
    }

    /** Returns a constant whole number without axes. */
    String whole(long number) {
        return translation.constant(longs(new long[] {number}));
    }

    private static StoredTensor longs(long[] numbers, long... shape) {
        java.nio.ByteBuffer bytes =
                java.nio.ByteBuffer.allocate(8 * numbers.length).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(numbers);
        return new StoredTensor(DataType.DT_INT64, shape, ByteString.copyFrom(bytes));
    }

    /** Returns a constant number without axes, of the type of attribute T. */
    String number(double number) {
        return number(type(), number);
    }

    /** Returns a constant number without axes. */
    String number(DataType type, double number) {
        String value = translation.constant(
                StoredTensor.single(type == DataType.DT_DOUBLE ? type : DataType.DT_FLOAT, number));
        return type == DataType.DT_FLOAT || type == DataType.DT_DOUBLE ? value : cast(value, type);
    }

    /** Returns a value in another type. */
    String cast(String value, DataType type) {
        return emit("Cast", Map.of("to", TensorFlowTypes.onnx(type, node.toString())), value);
    }

    /** Returns an input of whole numbers as INT64, as ONNX wants sizes and axes. */
    String int64(int index) {
        Optional<StoredTensor> stored = stored(index);
        return stored.isPresent()
                ? translation.constant(longs(stored.get().longs(), stored.get().shape()))
                : cast(in(index), DataType.DT_INT64);
    }

    /** Returns an input of whole numbers, one number or several, as a vector of INT64. */
    String int64Vector(int index) {
        Optional<StoredTensor> stored = stored(index);
        return stored.isPresent()
                ? vector(stored.get().longs())
                : emit("Reshape", cast(in(index), DataType.DT_INT64), vector(-1));
    }

    /**
     * Returns the refusal of this node.
     *
     * @param reason what it does, with the values, and what can be imported instead
     * @param remedy what to do about it
     */
    InvalidInputException refused(String reason, String remedy) {
        return new InvalidInputException(node + " " + reason + "; " + remedy);
    }

    /** Returns the refusal of a node that TensorFlow itself does not write. */
    InvalidInputException damaged(String reason) {
        return new InvalidInputException(node + " " + reason + NotValid.DAMAGED);
    }
}
