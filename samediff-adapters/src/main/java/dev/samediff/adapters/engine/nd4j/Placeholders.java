package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.ExecutionOrder;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Values of placeholders, in the type the graph expects. What does not fit is refused before anything is computed with it. */
public final class Placeholders {
    private Placeholders() {}

    /** Tells whether a name is that of a placeholder. */
    public static boolean isOne(SameDiff graph, String name) {
        return graph.hasVariable(name) && graph.getVariable(name).isPlaceHolder();
    }

    /**
     * Returns the value of a placeholder, cast if need be.
     *
     * @throws InvalidInputException if there is none, its shape is not what the graph declares, or a number of it would change
     *     in the type of the graph: 5.7, NaN or 2^32 in whole numbers
     */
    public static INDArray get(SDVariable placeholder, Map<String, INDArray> values) {
        INDArray array = values.get(placeholder.name());
        if (array == null) {
            throw new InvalidInputException("no value was given for the placeholder `" + placeholder.name()
                    + "`; given: " + new TreeSet<>(values.keySet()));
        }
        requireOpen(placeholder.name(), array);
        requireShape(placeholder, array);
        DataType type = placeholder.dataType();
        if (array.dataType() == type) {
            return array;
        }
        requireNumbers(placeholder.name(), array, type);
        return array.castTo(type);
    }

    private static void requireOpen(String name, INDArray array) {
        if (array.wasClosed()) {
            throw new InvalidInputException("the array given for the placeholder `" + name + "` is closed");
        }
    }

    /** Compares with the declared shape, of which sizes below zero are free; without axes it says nothing. */
    private static void requireShape(SDVariable placeholder, INDArray array) {
        long[] declared = placeholder.placeholderShape();
        if (declared == null || declared.length == 0) {
            return;
        }
        long[] shape = array.shape();
        boolean fits = shape.length == declared.length;
        for (int axis = 0; fits && axis < shape.length; axis++) {
            fits = declared[axis] < 0 || declared[axis] == shape[axis];
        }
        if (!fits) {
            throw new InvalidInputException("the shape of the placeholder `" + placeholder.name() + "` is "
                    + Arrays.toString(shape) + ", the graph declares " + Arrays.toString(declared)
                    + " (-1 is any size)");
        }
    }

    /** Refuses numbers that are others in the type of the graph. */
    private static void requireNumbers(String name, INDArray array, DataType type) {
        DataType given = array.dataType();
        if (!(given.isNumerical() || given == DataType.BOOL)) {
            throw new InvalidInputException("the placeholder `" + name + "` is given " + given + ", it is " + type);
        }
        if (!type.isIntType() || given == DataType.BOOL || array.isEmpty()) {
            return;
        }
        double least = least(type);
        double largest = largest(type);
        Elements elements = Elements.of(array);
        boolean whole = given.isIntType();
        for (long i = 0; i < elements.length(); i++) {
            double value = whole ? elements.whole(i) : elements.real(i);
            if (!(value >= least && value <= largest) || value != Math.rint(value)) {
                throw new InvalidInputException("the placeholder `" + name + "` is "
                        + (whole ? String.valueOf(elements.whole(i)) : String.valueOf(value)) + " at position "
                        + elements.position(i) + ", expected a whole number of type " + type + ", "
                        + String.format("%.0f to %.0f", least, largest));
            }
        }
    }

    private static double least(DataType type) {
        return type.isSigned() ? -Math.pow(2, 8 * type.width() - 1) : 0;
    }

    /** The largest number that is one of the type and a double. */
    private static double largest(DataType type) {
        double end = Math.pow(2, 8 * type.width() - (type.isSigned() ? 1 : 0));
        return type.width() == 8 ? Math.nextDown(end) : end - 1;
    }

    /**
     * Returns the placeholders without elements among those that some outputs need.
     *
     * @param graph the graph
     * @param outputs the outputs
     * @param values values by name
     */
    public static List<String> withoutElements(
            SameDiff graph, Collection<String> outputs, Map<String, INDArray> values) {
        List<String> empty = values.keySet().stream()
                .filter(name -> values.get(name) != null && values.get(name).isEmpty() && isOne(graph, name))
                .sorted()
                .toList();
        if (empty.isEmpty()) {
            return empty;
        }
        Set<String> read = new HashSet<>(outputs);
        ExecutionOrder.of(graph, outputs).forEach(node -> read.addAll(node.inputs()));
        return empty.stream().filter(read::contains).toList();
    }

    /**
     * Refuses placeholders without elements.
     *
     * @param graph the graph
     * @param outputs what shall be computed
     * @param values values by name
     * @throws InvalidInputException if there is one among those that the outputs need
     */
    public static void requireElements(SameDiff graph, Collection<String> outputs, Map<String, INDArray> values) {
        List<String> empty = withoutElements(graph, outputs, values);
        if (!empty.isEmpty()) {
            throw noElements(empty.get(0), values);
        }
    }

    /** Returns the refusal of a placeholder without elements. */
    public static InvalidInputException noElements(String name, Map<String, INDArray> values) {
        INDArray array = values.get(name);
        return new InvalidInputException("the placeholder `" + name + "` has no elements, its shape is "
                + (array == null ? "unknown" : Arrays.toString(array.shape()))
                + "; leave empty batches and empty texts out");
    }

    /**
     * Refuses numbers of a placeholder that name no row of a table; those below zero count from the end.
     *
     * @param name the placeholder
     * @param values its value
     * @param rows how many rows the table has
     * @param table what the table is called
     */
    public static void requireRows(String name, INDArray values, long rows, String table) {
        requireOpen(name, values);
        Elements elements = Elements.of(values);
        for (long i = 0; i < elements.length(); i++) {
            long id = elements.whole(i);
            if (id >= rows || id < -rows) {
                throw new InvalidInputException("the index at position " + elements.position(i)
                        + " of the placeholder `" + name + "` is " + id + ", allowed is " + -rows + " to " + (rows - 1)
                        + " (the rows of `" + table + "`)");
            }
        }
    }
}
