package dev.samediff.tuning;

import dev.samediff.tuning.journal.Journal;
import dev.samediff.tuning.pruning.Pruning;
import java.nio.file.Path;

/** A sweep in a process of its own, to be killed: journal file, search. */
final class KilledProcess {
    static final int TRIALS = 30;

    private KilledProcess() {}

    static SweepPlan plan(Search search) {
        return SweepPlan.of(TRIALS).withSearch(search).withParallel(2).withPruning(new Pruning.Median(4, 2));
    }

    public static void main(String[] arguments) {
        Trial slow = context -> {
            Thread.sleep(20 + 7 * (context.index() % 5));
            return Spaces.curve(context);
        };
        try (Journal journal = Journal.open(Path.of(arguments[0]))) {
            SweepPlan plan = plan(Search.named(arguments[1]));
            new Sweep(Spaces.MIXED, plan, new LocalTrials(slow)).run(journal);
        }
    }
}
