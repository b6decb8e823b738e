package dev.samediff.adapters.engine;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * By what the steps of an engine were executed: its own kernels, or ND4J's operations, which are slower.
 *
 * @param notCompiled why some steps could not be compiled and were executed by SameDiff's own operations altogether, or why
 *     all were; empty if none was
 * @param nd4jShare share of the time that ND4J's operations took, 0 to 1; all of a step that was not compiled
 * @param operations share of each operation that was ND4J's in compiled steps, such as {@code conv2d}, the largest first
 */
public record ExecutionReport(Optional<String> notCompiled, double nd4jShare, Map<String, Double> operations) {
    /** The smallest share worth mentioning. */
    private static final double NOTABLE = 0.01;

    private static final int MOST = 5;

    public ExecutionReport {
        operations = new LinkedHashMap<>(operations);
    }

    /** Tells whether more than 1 % of the time went into ND4J's operations, or something was not compiled. */
    public boolean isNotable() {
        return notCompiled.isPresent() || nd4jShare > NOTABLE;
    }

    /** Returns the report in a sentence or two. */
    public String sentence() {
        String time = percent(nd4jShare) + " of the time in ND4J's ops";
        if (!operations.isEmpty()) {
            time += operations.entrySet().stream()
                    .limit(MOST)
                    .map(entry -> entry.getKey() + " " + percent(entry.getValue()))
                    .collect(Collectors.joining(", ", ": ", operations.size() > MOST ? ", ..." : ""));
        }
        return time + notCompiled.map(why -> "; not compiled: " + why).orElse("");
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, share < NOTABLE ? "%.1f %%" : "%.0f %%", 100 * share);
    }
}
