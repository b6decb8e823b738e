package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.train.Trainable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The penalty of a model, with its coefficient gamma / eta_max. */
public final class PenaltyTerm {
    private final Trainable model;
    private final Penalty penalty;
    private final double coefficient;
    private final List<Map<String, String>> sites;
    private final Map<String, Integer> indices = new HashMap<>();

    public PenaltyTerm(Trainable model, Penalty penalty, double peak) {
        this.model = model;
        this.penalty = penalty;
        this.coefficient = penalty.gamma() / peak;
        this.sites = model.penaltySites();
        List<String> names = model.trainableNames();
        for (int i = 0; i < names.size(); i++) {
            indices.put(names.get(i), i);
        }
    }

    /**
     * The penalty at the current parameters.
     *
     * @param value coefficient times the penalty
     * @param gradients the unweighted gradients by the trainable's index
     * @param coefficient the coefficient
     */
    public record At(double value, Map<Integer, INDArray> gradients, double coefficient) implements AutoCloseable {
        public static final At NOTHING = new At(0, Map.of(), 0);

        @Override
        public void close() {
            gradients.values().forEach(AdamW::free);
        }
    }

    /** Computes value and gradients for the current parameters. */
    public At evaluate() {
        List<Map<String, INDArray>> tensors = new ArrayList<>();
        for (Map<String, String> site : sites) {
            Map<String, INDArray> arrays = new LinkedHashMap<>();
            site.forEach(
                    (shortName, variable) -> arrays.put(shortName, model.graph().getArrForVarName(variable)));
            tensors.add(arrays);
        }
        Penalty.Value value = penalty.evaluate(tensors);
        Map<Integer, INDArray> gradients = new LinkedHashMap<>();
        for (int i = 0; i < sites.size(); i++) {
            Map<String, String> names = sites.get(i);
            value.gradients()
                    .get(i)
                    .forEach((shortName, gradient) -> collect(names.get(shortName), gradient, gradients));
        }
        return new At(coefficient * value.value(), gradients, coefficient);
    }

    /** Keeps the gradient of a trainable; two of the same one are added. */
    private void collect(@Nullable String variable, INDArray gradient, Map<Integer, INDArray> gradients) {
        Integer index = variable == null ? null : indices.get(variable);
        INDArray before = index == null ? null : gradients.get(index);
        if (index == null) {
            AdamW.free(gradient);
        } else if (before == null) {
            gradients.put(index, gradient.castTo(DataType.FLOAT));
        } else {
            before.addi(gradient);
            AdamW.free(gradient);
        }
    }
}
