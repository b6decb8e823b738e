package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.PenalizedSites;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.train.Trainable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The penalties of a model, each with its coefficient. */
public final class PenaltyTerm {
    private final Trainable model;
    private final List<PenalizedSites> parts;
    private final double peak;
    private final double coefficient;
    private final Map<String, Integer> indices = new HashMap<>();

    public PenaltyTerm(Trainable model, double peak) {
        this.model = model;
        this.parts = model.penalties();
        this.peak = peak;
        this.coefficient = parts.stream().mapToDouble(this::coefficient).max().orElse(0);
        List<String> names = model.trainableNames();
        for (int i = 0; i < names.size(); i++) {
            indices.put(names.get(i), i);
        }
    }

    private double coefficient(PenalizedSites part) {
        return part.penalty().coefficient(peak);
    }

    /**
     * The penalties at the current parameters.
     *
     * @param value sum of coefficients times penalties
     * @param gradients by the trainable's index; times the coefficient they are the sum's
     * @param coefficient the largest of the penalties' coefficients, so that the gradients of one penalty are those unweighted
     * @param deviation the largest average distance from orthonormality ({@link Penalty#deviation}), if any is known
     */
    public record At(double value, Map<Integer, INDArray> gradients, double coefficient, OptionalDouble deviation)
            implements AutoCloseable {
        @Override
        public void close() {
            gradients.values().forEach(Optimizer::free);
        }
    }

    /** Computes value and gradients for the current parameters. */
    public At evaluate() {
        double sum = 0;
        OptionalDouble deviation = OptionalDouble.empty();
        Map<Integer, INDArray> gradients = new LinkedHashMap<>();
        for (PenalizedSites part : parts) {
            List<Map<String, INDArray>> tensors = tensors(part);
            Penalty.Value value = part.penalty().evaluate(tensors);
            OptionalDouble distance = part.penalty().deviation(value.value(), tensors);
            if (distance.isPresent()) {
                deviation = OptionalDouble.of(Math.max(deviation.orElse(0), distance.getAsDouble()));
            }
            double own = coefficient(part);
            sum += own * value.value();
            for (int i = 0; i < part.sites().size(); i++) {
                Map<String, String> names = part.sites().get(i);
                value.gradients().get(i).forEach((shortName, gradient) -> {
                    if (own != coefficient) {
                        gradient.muli(own / coefficient);
                    }
                    collect(names.get(shortName), gradient, gradients);
                });
            }
        }
        return new At(sum, gradients, coefficient, deviation);
    }

    private List<Map<String, INDArray>> tensors(PenalizedSites part) {
        List<Map<String, INDArray>> tensors = new ArrayList<>();
        for (Map<String, String> site : part.sites()) {
            Map<String, INDArray> arrays = new LinkedHashMap<>();
            site.forEach(
                    (shortName, variable) -> arrays.put(shortName, model.graph().getArrForVarName(variable)));
            tensors.add(arrays);
        }
        return tensors;
    }

    /** Keeps the gradient of a trainable; two of the same one are added. */
    private void collect(@Nullable String variable, INDArray gradient, Map<Integer, INDArray> gradients) {
        Integer index = variable == null ? null : indices.get(variable);
        INDArray before = index == null ? null : gradients.get(index);
        if (index == null) {
            Optimizer.free(gradient);
        } else if (before == null) {
            gradients.put(index, gradient.castTo(DataType.FLOAT));
        } else {
            before.addi(gradient);
            Optimizer.free(gradient);
        }
    }
}
