package dev.samediff.tuning.journal;

import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.Range;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * How much each parameter alone explains of the score: the share of the variance of the scores' ranks that lies between
 * groups of its values (epsilon squared of a one-way analysis of variance, Kelley 1935, at least 0). Numbers of a range form
 * up to four groups of equal size. Ranks, so that one diverged trial does not decide; interactions are not seen. Below about
 * ten trials it says little.
 */
public final class Importance {
    private static final int GROUPS = 4;
    private static final int LEAST_PER_GROUP = 2;

    private Importance() {}

    /** Returns the share of every varied parameter, largest first; trials without a score are left out. */
    public static Map<String, Double> of(AdapterSpace space, List<TrialResult> trials) {
        List<TrialResult> scored = trials.stream()
                .filter(trial -> Double.isFinite(trial.score()))
                .sorted(Comparator.comparingDouble(TrialResult::score))
                .toList();
        Map<TrialResult, Integer> ranks = new LinkedHashMap<>();
        scored.forEach(trial -> ranks.put(trial, ranks.size()));
        Map<String, Double> shares = new LinkedHashMap<>();
        space.varied().forEach(parameter -> shares.put(parameter.name(), share(parameter, ranks)));
        return shares.entrySet().stream()
                .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue, (a, b) -> a, LinkedHashMap::new));
    }

    private static double share(Parameter parameter, Map<TrialResult, Integer> ranks) {
        List<TrialResult> having = ranks.keySet().stream()
                .filter(trial -> trial.parameters().values().containsKey(parameter.name()))
                .toList();
        Map<Object, double[]> groups = having.stream()
                .collect(Collectors.groupingBy(
                        trial -> group(parameter, trial, having),
                        Collectors.collectingAndThen(
                                Collectors.toList(),
                                list -> list.stream()
                                        .mapToDouble(trial -> ranks.getOrDefault(trial, 0))
                                        .toArray())));
        int n = having.size();
        int k = groups.size();
        if (k < 2 || n <= k) {
            return 0;
        }
        double mean = having.stream()
                .mapToDouble(trial -> ranks.getOrDefault(trial, 0))
                .average()
                .orElse(0);
        double total = 0;
        double within = 0;
        for (double[] group : groups.values()) {
            double own = Arrays.stream(group).average().orElse(0);
            total += Arrays.stream(group)
                    .map(rank -> (rank - mean) * (rank - mean))
                    .sum();
            within += Arrays.stream(group)
                    .map(rank -> (rank - own) * (rank - own))
                    .sum();
        }
        double between = total - within;
        return total == 0 ? 0 : Math.max(0, (between - (k - 1) * within / (n - k)) / total);
    }

    private static Object group(Parameter parameter, TrialResult trial, List<TrialResult> all) {
        Object value = trial.parameters().values().get(parameter.name());
        if (parameter.range() instanceof Range.Choice || !(value instanceof Number number)) {
            return String.valueOf(value);
        }
        long below = all.stream()
                .filter(other -> other.parameters().number(parameter.name()).orElse(Double.NaN) < number.doubleValue())
                .count();
        int groups = Math.max(1, Math.min(GROUPS, all.size() / LEAST_PER_GROUP));
        return below * groups / all.size();
    }
}
