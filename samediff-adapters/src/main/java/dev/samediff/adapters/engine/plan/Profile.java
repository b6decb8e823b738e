package dev.samediff.adapters.engine.plan;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where the time of plans went, by kind of operation. */
public final class Profile {
    private final Map<String, long[]> times = new LinkedHashMap<>();

    /** Counts one execution. */
    void add(String title, long nanos) {
        long[] entry = times.computeIfAbsent(title, key -> new long[2]);
        entry[0] += nanos;
        entry[1]++;
    }

    /**
     * Time of one kind of operation.
     *
     * @param title the operation
     * @param milliseconds in all
     * @param calls executions
     */
    public record Entry(String title, double milliseconds, long calls) {
        private static final String FALLBACK = "nd4j:";

        /** Tells whether ND4J executed it, because the engine has no kernel of its own. */
        public boolean isFallback() {
            return title.startsWith(FALLBACK);
        }

        /** Returns the operation's name, as ND4J calls it if it is ND4J's. */
        public String operation() {
            return isFallback() ? title.substring(FALLBACK.length()) : title;
        }
    }

    /** Returns the times, the largest first. */
    public List<Entry> entries() {
        return times.entrySet().stream()
                .map(entry -> new Entry(entry.getKey(), entry.getValue()[0] / 1e6, entry.getValue()[1]))
                .sorted(Comparator.comparingDouble(Entry::milliseconds).reversed())
                .toList();
    }

    /** Returns the share of the time that ND4J's own operations took, 0 to 1. */
    public double fallbackShare() {
        double all = entries().stream().mapToDouble(Entry::milliseconds).sum();
        double fallback = entries().stream()
                .filter(Entry::isFallback)
                .mapToDouble(Entry::milliseconds)
                .sum();
        return all == 0 ? 0 : fallback / all;
    }
}
