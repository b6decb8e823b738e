package dev.samediff.samples.bench.step;

import dev.samediff.samples.bench.step.StepJob.Configuration;
import org.jspecify.annotations.Nullable;

/**
 * This library beside one peer, or alone; NaN where something was not measured.
 *
 * @param network the network's sizes
 * @param method adapters
 * @param precision this library's
 * @param threads how many threads compute
 * @param ms this library's median time per step
 * @param peer the peer; null, as are its precision and threads, if there is none to compare with
 * @param peerPrecision its precision
 * @param peerThreads its threads: one where it is faster so
 * @param peerMs its median time per step
 * @param timeRatio this library's time by the peer's
 * @param rssMb this library's peak resident memory in units of 10^6 bytes, whole process
 * @param peerRssMb the peer's
 * @param rssRatio this library's memory by the peer's
 */
public record StepRow(
        String network,
        String method,
        String precision,
        int threads,
        double ms,
        @Nullable String peer,
        @Nullable String peerPrecision,
        @Nullable Integer peerThreads,
        double peerMs,
        double timeRatio,
        double rssMb,
        double peerRssMb,
        double rssRatio) {
    static StepRow alone(Configuration own, StepSummary self) {
        return new StepRow(
                own.network().toString(),
                own.method(),
                own.precision().label(),
                own.threads(),
                self.ms(),
                null,
                null,
                null,
                Double.NaN,
                Double.NaN,
                self.megabytes(),
                Double.NaN,
                Double.NaN);
    }

    static StepRow of(Configuration own, StepSummary self, String peer, Configuration other, StepSummary measured) {
        return new StepRow(
                own.network().toString(),
                own.method(),
                own.precision().label(),
                own.threads(),
                self.ms(),
                peer,
                other.precision().label(),
                other.threads(),
                measured.ms(),
                self.ms() / measured.ms(),
                self.megabytes(),
                measured.megabytes(),
                self.megabytes() / measured.megabytes());
    }
}
