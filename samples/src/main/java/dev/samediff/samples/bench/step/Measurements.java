package dev.samediff.samples.bench.step;

import dev.samediff.samples.bench.step.StepJob.Configuration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What all processes of a comparison found, and the rows that follow. */
final class Measurements {
    private record Key(String contender, Configuration measured) {}

    /** A contender's best setting and what it reached with it. */
    private record Best(Configuration setting, StepSummary summary) {}

    private final Map<Key, List<StepRun>> runs = new HashMap<>();

    void add(Contender contender, Configuration measured, StepRun run) {
        runs.computeIfAbsent(new Key(contender.name(), measured), key -> new ArrayList<>())
                .add(run);
    }

    List<StepRun> runs(Contender contender, Configuration measured) {
        return runs.getOrDefault(new Key(contender.name(), measured), List.of());
    }

    StepSummary summary(Contender contender, Configuration measured) {
        List<StepRun> found = runs(contender, measured);
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
