package dev.samediff.adapters.inject;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphVersion;
import dev.samediff.adapters.graph.Names;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The numbers of the active adapters.
 *
 * @param graph the graph that holds them
 * @param adapters the adapters
 */
public record TrainableValues(SameDiff graph, AdapterSet adapters) {
    public Map<String, INDArray> copy() {
        Map<String, INDArray> values = new LinkedHashMap<>();
        adapters.values(graph).forEach((name, value) -> values.put(name, value.dup()));
        return values;
    }

    /** Sets all of them, or none if a name or a shape does not fit. */
    public void restore(Map<String, INDArray> values) {
        List<String> names = adapters.trainableNames();
        Map<String, INDArray> arrays = adapters.values(graph);
        if (!Set.copyOf(names).equals(values.keySet())) {
            Set<String> missing = new LinkedHashSet<>(names);
            missing.removeAll(values.keySet());
            Set<String> unknown = new LinkedHashSet<>(values.keySet());
            unknown.removeAll(names);
            throw new InvalidInputException(
                    "these tensors do not belong to the active adapters " + adapters.activeNames() + ": missing are "
                            + Names.some(missing) + "; unknown are " + Names.some(unknown));
        }
        values.forEach((name, value) -> {
            INDArray array = Objects.requireNonNull(arrays.get(name));
            if (!Arrays.equals(array.shape(), value.shape())) {
                throw new InvalidInputException("the tensor `" + name + "` has the shape "
                        + Arrays.toString(value.shape()) + "; expected " + Arrays.toString(array.shape()));
            }
        });
        values.forEach((name, value) -> Objects.requireNonNull(arrays.get(name)).assign(value));
        GraphVersion.of(graph).valuesChanged(names);
    }
}
