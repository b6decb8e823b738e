package dev.samediff.tuning;

import dev.samediff.tuning.arbiter.ArbiterSweep;
import dev.samediff.tuning.journal.Journal;
import dev.samediff.tuning.space.AdapterSpace;
import java.util.List;

/**
 * Searches a space: chooses parameters, runs trials, and writes each ended one to a journal.
 *
 * <pre>{@code
 * try (Journal journal = Journal.open(folder.resolve("journal.jsonl"))) {
 *     SweepResult result = new Sweep(space, SweepPlan.of(40).withParallel(2), new LocalTrials(trial)).run(journal);
 * }
 * }</pre>
 *
 * <p>Trials that the journal holds are not run again, so the same lines go on with an interrupted sweep. The result does not
 * depend on timing: see {@link SweepPlan}.
 *
 * @param space what is varied
 * @param plan how it is searched
 * @param executor runs the trials
 */
public record Sweep(AdapterSpace space, SweepPlan plan, TrialExecutor executor) {
    /**
     * Runs to the end.
     *
     * @param journal holds trials of an earlier run, gets the new ones
     * @param listeners are told how it goes
     * @throws dev.samediff.adapters.InvalidInputException if the journal is that of another sweep
     * @throws java.io.UncheckedIOException if the journal cannot be written; trials that were running are lost
     */
    public SweepResult run(Journal journal, SweepListener... listeners) {
        long start = System.nanoTime();
        Backend.probe();
        SweepRecord record = new SweepRecord(plan, journal, List.of(listeners));
        record.start();
        ArbiterSweep.run(space, plan, executor, record);
        return new SweepResult(record.results(), (System.nanoTime() - start) / 1e9);
    }
}
