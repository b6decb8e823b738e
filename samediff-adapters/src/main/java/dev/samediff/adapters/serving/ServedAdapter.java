package dev.samediff.adapters.serving;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.ToLora;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An adapter's numbers in the layout of the graph. They never change, so that requests read them while others replace the adapter.
 *
 * @param form which variables there are; adapters of one form use the same workers
 * @param arrays their numbers
 */
record ServedAdapter(Form form, Map<String, INDArray> arrays) {
    /** The base model without an adapter. */
    static final ServedAdapter NONE = new ServedAdapter(new Form(Map.of(), Map.of()), Map.of());

    /** The factors are those of the unchanged base weights with the scaling inside, so that all adapters read one base model; all have this name in workers' graphs, so that those of one form have the same variables. */
    private static final String NAME = "served";

    /**
     * All of an adapter that is not numbers of its variables, so that graphs of one form differ in these alone.
     *
     * @param variables type and shape by name
     * @param rows which rows of a tensor are the adapter's, by its key; none for all
     */
    record Form(Map<String, Variable> variables, Map<String, List<Integer>> rows) {}

    /** Type and shape of a variable. */
    record Variable(DataType type, List<Long> shape) {
        static Variable of(INDArray array) {
            return new Variable(
                    array.dataType(), Arrays.stream(array.shape()).boxed().toList());
        }
    }

    /**
     * Puts an adapter into a graph, and returns it as numbers.
     *
     * @param graph a copy of the base model; it is changed
     * @param paths module paths by weight variable
     * @param state the adapter
     */
    static ServedAdapter inject(SameDiff graph, Map<String, String> paths, AdapterState state) {
        AdaptedModel model = AdaptedModel.inject(
                graph, paths, ToLora.withScalingInside(state).withName(NAME));
        Map<String, INDArray> arrays = new LinkedHashMap<>();
        Map<String, Variable> variables = new LinkedHashMap<>();
        model.trainables().forEach((name, array) -> {
            arrays.put(name, array);
            variables.put(name, Variable.of(array));
        });
        Map<String, List<Integer>> rows = new LinkedHashMap<>();
        state.whole().forEach(whole -> rows.put(whole.key(), whole.rows()));
        return new ServedAdapter(new Form(variables, rows), arrays);
    }

    /** Returns the memory of the numbers in bytes. */
    long bytes() {
        return arrays.values().stream()
                .mapToLong(array -> array.length() * array.dataType().width())
                .sum();
    }
}
