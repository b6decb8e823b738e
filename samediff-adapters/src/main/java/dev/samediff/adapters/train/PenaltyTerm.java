package dev.samediff.adapters.train;

import dev.samediff.adapters.Penalty;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The penalty of a model, with its coefficient gamma / eta_max. */
final class PenaltyTerm {
    private final Trainable model;
    private final Penalty penalty;
    private final double coefficient;

    PenaltyTerm(Trainable model, Penalty penalty, double peak) {
        this.model = model;
        this.penalty = penalty;
        this.coefficient = penalty.gamma() / peak;
    }

    /** Computes value and gradient for the current parameters. */
    Penalty.Value evaluate() {
        List<Map<String, INDArray>> sites = new ArrayList<>();
        for (Map<String, String> site : model.penaltySites()) {
            Map<String, INDArray> tensors = new LinkedHashMap<>();
            site.forEach((shortName, variable) ->
                    tensors.put(shortName, model.graph().getArrForVarName(variable)));
            sites.add(tensors);
        }
        return penalty.evaluate(sites);
    }

    double weighted(Penalty.Value value) {
        return coefficient * value.value();
    }

    /** Adds the weighted gradient to those of the trainables, and frees its arrays. */
    void addTo(List<float[]> gradients, Penalty.Value value) {
        List<Map<String, String>> sites = model.penaltySites();
        for (int i = 0; i < sites.size(); i++) {
            Map<String, String> names = sites.get(i);
            value.gradients().get(i).forEach((shortName, gradient) -> {
                int index = model.trainableNames().indexOf(names.get(shortName));
                if (index >= 0) {
                    GradientSum.addScaled(gradients.get(index), HostFloats.read(gradient), coefficient);
                }
                gradient.close();
            });
        }
    }
}
