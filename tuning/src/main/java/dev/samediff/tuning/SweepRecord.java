package dev.samediff.tuning;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.journal.Journal;
import dev.samediff.tuning.space.ParameterValues;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The trials of a running sweep: those of the journal and the new ones; tells the listeners. Thread-safe. */
public final class SweepRecord {
    private final SweepPlan plan;
    private final Journal journal;
    private final List<SweepListener> listeners;
    private final Map<Integer, TrialResult> results = new TreeMap<>();

    SweepRecord(SweepPlan plan, Journal journal, List<SweepListener> listeners) {
        this.plan = plan;
        this.journal = journal;
        this.listeners = listeners;
    }

    synchronized void start() {
        listeners.forEach(listener -> listener.onStart(plan));
        String complaint = ComputeThreads.complaint(plan.threads());
        if (!complaint.isEmpty()) {
            listeners.forEach(listener -> listener.onNote(complaint));
        }
    }

    /**
     * Takes a trial from the journal, if it is there.
     *
     * @throws InvalidInputException if the journalled trial has other parameters
     */
    public synchronized Optional<TrialResult> known(int index, ParameterValues parameters) {
        TrialResult journalled = journal.trials().get(index);
        if (journalled == null) {
            return Optional.empty();
        }
        if (!journalled.parameters().equals(parameters)) {
            throw new InvalidInputException("trial " + index + " in " + journal.file() + " has "
                    + journalled.parameters() + ", this sweep would try " + parameters
                    + ": the journal belongs to a sweep of another space, seed or search. Give the same ones, or another"
                    + " folder");
        }
        results.put(index, journalled);
        listeners.forEach(listener -> listener.onKnown(journalled));
        return Optional.of(journalled);
    }

    /** Notes that a trial starts. */
    public synchronized void started(TrialSpec spec) {
        listeners.forEach(listener -> listener.onTrialStart(spec));
    }

    /** Notes a report of a running trial. */
    public synchronized void reported(TrialSpec spec, LearningCurve.Point report) {
        listeners.forEach(listener -> listener.onReport(spec, report));
    }

    /** Writes an ended trial to the journal, then tells of it. */
    public synchronized void ended(TrialResult result) {
        journal.append(result);
        results.put(result.index(), result);
        listeners.forEach(listener -> listener.onTrialEnd(result));
    }

    /** Returns all trials that ended, by index. */
    public synchronized List<TrialResult> results() {
        return new ArrayList<>(results.values());
    }

    /** Returns the ended trials with an index below. */
    public synchronized List<TrialResult> before(int index) {
        return results.values().stream().filter(trial -> trial.index() < index).toList();
    }
}
