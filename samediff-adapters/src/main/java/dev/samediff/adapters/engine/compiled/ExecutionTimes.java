package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.engine.plan.Profile;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where the time of training steps went: every step's whole time, and the time of every kernel in one step of sixteen, so
 * that measuring costs next to nothing.
 */
final class ExecutionTimes {
    private static final int INTERVAL = 16;

    private final Profile sampled = new Profile();
    private long steps;
    private long compiledNanos;
    private long referenceNanos;
    private @Nullable String reason;

    /** Returns what measures the kernels of the next step, or null; the first step is left out, it warms up. */
    @Nullable
    Profile next() {
        return steps++ % INTERVAL == 1 ? sampled : null;
    }

    void compiled(long nanos) {
        compiledNanos += nanos;
    }

    void reference(long nanos, @Nullable String why) {
        referenceNanos += nanos;
        reason = why;
    }

    /**
     * Returns the shares so far; nothing before the second step.
     *
     * @param whole a profile of all steps, if there is one
     */
    Optional<ExecutionReport> report(@Nullable Profile whole) {
        Profile profile = whole == null ? sampled : whole;
        double all = compiledNanos + referenceNanos;
        if (steps < 2 || all == 0) {
            return Optional.empty();
        }
        double compiled = compiledNanos / all;
        double measured = profile.entries().stream()
                .mapToDouble(Profile.Entry::milliseconds)
                .sum();
        Map<String, Double> operations = new LinkedHashMap<>();
        profile.entries().stream()
                .filter(Profile.Entry::isFallback)
                .forEach(entry -> operations.put(entry.operation(), compiled * entry.milliseconds() / measured));
        double share = referenceNanos / all + compiled * profile.fallbackShare();
        return Optional.of(new ExecutionReport(Optional.ofNullable(reason), share, operations));
    }
}
