package dev.samediff.samples.bench.step;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Whether everyone computes the same: the first step's losses must agree, later ones show that the updates do.
 *
 * @param network network and method
 * @param contender who trained
 * @param losses task losses of the first steps, each before its update
 * @param difference of the first loss from this library's, relative
 */
public record LossCheck(String network, String contender, List<Double> losses, double difference) {
    /** How far first losses may be apart, relative. */
    public static final double TOLERANCE = 1e-4;

    /** Compares everyone with the first contender. */
    public static List<LossCheck> of(Map<String, Map<String, List<Double>>> losses) {
        List<LossCheck> checks = new ArrayList<>();
        losses.forEach((network, byContender) -> {
            double own = byContender.values().stream()
                    .findFirst()
                    .map(first -> first.get(0))
                    .orElse(Double.NaN);
            byContender.forEach((contender, steps) ->
                    checks.add(new LossCheck(network, contender, steps, Math.abs(steps.get(0) - own) / Math.abs(own))));
        });
        return checks;
    }

    /** Returns whether the first loss agrees. */
    public boolean passed() {
        return difference <= TOLERANCE;
    }
}
