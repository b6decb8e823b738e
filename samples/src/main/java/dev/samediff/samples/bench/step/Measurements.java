package dev.samediff.samples.bench.step;

import dev.samediff.adapters.method.Lora;
import dev.samediff.samples.bench.Statistics;
import dev.samediff.samples.bench.step.StepJob.Configuration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What all processes of a comparison found, and the rows that follow. */
final class Measurements {
    private record Key(String contender, Configuration measured) {}

    /** A contender's best setting and what it reached with it. */
    private record Best(Configuration setting, StepSummary summary) {}

    private final Map<Key, Map<Integer, StepRun>> runs = new HashMap<>();

    /** Takes what a process of a round found. */
    void add(Contender contender, Configuration measured, int round, StepRun run) {
        runs.computeIfAbsent(new Key(contender.name(), measured), key -> new TreeMap<>())
                .put(round, run);
    }

    Collection<StepRun> runs(Contender contender, Configuration measured) {
        return byRound(contender, measured).values();
    }

    private Map<Integer, StepRun> byRound(Contender contender, Configuration measured) {
        return runs.getOrDefault(new Key(contender.name(), measured), Map.of());
    }

    /**
     * Returns a method's step beside LoRA's, round by round, so that what slows the machine for a while slows both.
     *
     * @param measured of the method
     * @return nothing for LoRA itself, or if no round has both
     */
    Optional<MethodRatio> besideLora(Configuration measured, Contender self) {
        Map<Integer, StepRun> lora = byRound(self, measured.withMethod(Lora.NAME));
        List<Double> times = new ArrayList<>();
        List<Double> memory = new ArrayList<>();
        byRound(self, measured).forEach((round, run) -> {
            StepRun other = lora.get(round);
            if (other != null) {
                times.add(run.ms() / other.ms());
                memory.add((double) run.peakBytes() / other.peakBytes());
            }
        });
        return measured.method().equals(Lora.NAME) || times.isEmpty()
                ? Optional.empty()
                : Optional.of(new MethodRatio(
                        measured.network().toString(),
                        measured.method(),
                        measured.precision().label(),
                        measured.threads(),
                        Statistics.median(times),
                        Statistics.median(memory),
                        times.size()));
    }

    StepSummary summary(Contender contender, Configuration measured) {
        Collection<StepRun> found = runs(contender, measured);
        return found.isEmpty() ? StepSummary.NONE : StepSummary.of(found);
    }

    /** Returns this library beside each peer, in bfloat16 also beside each peer's float32; alone if there is none. */
    List<StepRow> rows(Configuration measured, Contender self, List<Contender> peers) {
        StepSummary own = summary(self, measured);
        List<StepRow> rows = new ArrayList<>();
        for (Contender peer : peers) {
            for (Precision precision : Precision.values()) {
                Configuration there = measured.withPrecision(precision);
                boolean comparable = precision == measured.precision() || precision == Precision.F32;
                if (comparable && peer.runs(there)) {
                    Best best = best(peer, there);
                    rows.add(StepRow.of(measured, own, peer.name(), best.setting(), best.summary()));
                }
            }
        }
        return rows.isEmpty() ? List.of(StepRow.alone(measured, own)) : rows;
    }

    /** A peer that is slower with several threads than with one is given one. */
    private Best best(Contender peer, Configuration measured) {
        Configuration one = measured.withThreads(1);
        StepSummary many = summary(peer, measured);
        StepSummary single = summary(peer, one);
        return single.measured() && (!many.measured() || single.ms() < many.ms())
                ? new Best(one, single)
                : new Best(measured, many);
    }
}
