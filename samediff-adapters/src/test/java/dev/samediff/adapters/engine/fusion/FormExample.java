package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.reference.ReferenceEngine;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A graph that is a form, or almost one.
 *
 * @param form the form
 * @param matches whether it is one
 * @param name what it is
 * @param build makes the graph and returns its result
 */
record FormExample(Class<? extends Form> form, boolean matches, String name, Function<SameDiff, SDVariable> build) {
    static FormExample is(Class<? extends Form> form, String name, Function<SameDiff, SDVariable> build) {
        return new FormExample(form, true, name, build);
    }

    static FormExample almost(Class<? extends Form> form, String name, Function<SameDiff, SDVariable> build) {
        return new FormExample(form, false, name, build);
    }

    /** Returns the shape of a result. */
    long[] shape(SDVariable y) {
        SameDiff graph = y.getSameDiff();
        Map<String, INDArray> placeholders = new HashMap<>();
        graph.variables().stream()
                .filter(SDVariable::isPlaceHolder)
                .forEach(v -> placeholders.put(v.name(), FormExamples.zeros(v)));
        try (ReferenceEngine engine = new ReferenceEngine(graph, "", List.of())) {
            return engine.outputs(placeholders, List.of(y.name())).get(y.name()).shape();
        }
    }

    @Override
    public String toString() {
        return (matches ? "" : "almost ") + form.getSimpleName() + ": " + name;
    }
}
