package dev.samediff.adapters.train;

import dev.samediff.adapters.PenalizedSites;
import dev.samediff.adapters.Penalty;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bound on gamma of the SORSA paper's Theorem 3, as far as it can be known before training: gradient descent on loss and regulariser
 * converges only if it does on the regulariser alone, {@code rate coefficient L < 2} with L the Lipschitz constant of the
 * regulariser's gradient (Theorem 2). With the coefficient {@code gamma / eta_max} and the rate {@code eta_max} that is {@code gamma
 * < 2 / L}. The loss's own constant, which nobody knows, can only lower it.
 */
final class PenaltyBound {
    private static final Logger LOG = LoggerFactory.getLogger(PenaltyBound.class);

    private PenaltyBound() {}

    /** Warns of every penalty that is at the bound or above it with a plan's peak rates. */
    static void warn(Trainable model, TrainingPlan plan) {
        warnings(model, plan).forEach(LOG::warn);
    }

    /** Returns a sentence for each penalty that is at the bound or above it. */
    static List<String> warnings(Trainable model, TrainingPlan plan) {
        List<String> warnings = new ArrayList<>();
        for (PenalizedSites part : model.penalties()) {
            OptionalDouble curvature = part.penalty().curvature();
            if (curvature.isPresent()) {
                Fastest fastest = fastest(part, model, plan);
                double reached = fastest.rate() * part.penalty().coefficient(plan.learningRate());
                double bound = 2 / curvature.getAsDouble();
                if (reached >= bound) {
                    warnings.add(text(part.penalty(), plan, fastest, reached, bound));
                }
            }
        }
        return warnings;
    }

    /** The tensor of a penalty with the largest peak rate. */
    private record Fastest(String name, double rate) {}

    private static Fastest fastest(PenalizedSites part, Trainable model, TrainingPlan plan) {
        Fastest fastest = new Fastest("", 0);
        for (Map<String, String> site : part.sites()) {
            for (Map.Entry<String, String> tensor : site.entrySet()) {
                double rate = rate(model, plan, tensor.getValue());
                if (rate > fastest.rate() && isPenalized(part.penalty(), model, tensor)) {
                    fastest = new Fastest(tensor.getValue(), rate);
                }
            }
        }
        return fastest;
    }

    private static double rate(Trainable model, TrainingPlan plan, String name) {
        INDArray tensor = model.graph().getVariable(name).getArr();
        return plan.learningRate()
                * plan.learningRates().of(name, tensor, plan.learningRate()).learning();
    }

    private static boolean isPenalized(Penalty penalty, Trainable model, Map.Entry<String, String> tensor) {
        return penalty.term(
                        tensor.getKey(),
                        model.graph().getVariable(tensor.getValue()).getArr(),
                        1)
                .isPresent();
    }

    private static String text(Penalty penalty, TrainingPlan plan, Fastest fastest, double reached, double bound) {
        return String.format(
                Locale.ROOT,
                "gamma %s breaks the bound of the SORSA paper's Theorem 3: an update of `%s` at the peak has rate gamma / eta_max = %s"
                        + " %s / %s = %.4g of the regulariser's gradient, and from %.4g on gradient descent moves the vectors away"
                        + " from orthonormal ones; use a gamma below %.4g",
                penalty.gamma(),
                fastest.name(),
                fastest.rate(),
                penalty.gamma(),
                plan.learningRate(),
                reached,
                bound,
                penalty.gamma() * bound / reached);
    }
}
