package dev.samediff.tuning.arbiter;

import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.SweepRecord;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.space.ParameterValues;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.deeplearning4j.arbiter.optimize.api.Candidate;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;
import org.deeplearning4j.arbiter.optimize.api.OptimizationResult;
import org.deeplearning4j.arbiter.optimize.api.ParameterSpace;
import org.jspecify.annotations.Nullable;

/**
 * Hands a generator's candidates to Arbiter's runner in an order that does not depend on timing.
 *
 * <p>Candidate i is generated when the trials {@code 0 .. i - parallel} have been reported to the generator, in the order of
 * their indices, and no others. Candidates whose trial is in the journal are reported and not handed out. There are never
 * more than planned, a candidate that cannot be generated counts as a failed trial, and points of a grid that conditions
 * make equal are handed out once. Thread-safe.
 */
final class OrderedGenerator implements CandidateGenerator {
    private final CandidateGenerator delegate;
    private final SweepPlan plan;
    private final SweepRecord record;
    private final Map<Integer, Candidate<?>> generated = new HashMap<>();
    private final Map<Integer, TrialResult> ended = new HashMap<>();
    private final Set<ParameterValues> seen = new HashSet<>();
    private @Nullable Candidate<?> next;
    private int count;
    private int reported;
    private int running;
    private boolean exhausted;
    private @Nullable RuntimeException failure;

    OrderedGenerator(CandidateGenerator delegate, SweepPlan plan, SweepRecord record) {
        this.delegate = delegate;
        this.plan = plan;
        this.record = record;
    }

    @Override
    public synchronized boolean hasMoreCandidates() {
        try {
            while (next == null && failure == null && !exhausted && mayGenerate()) {
                generate();
            }
        } catch (RuntimeException e) { // Arbiter would go on after its runner's thread is gone
            failure = e;
        }
        return next != null && failure == null;
    }

    /** Returns whether no candidate will come any more and no trial runs. */
    synchronized boolean isDone() {
        return !hasMoreCandidates() && running == 0 && (failure != null || exhausted || count == plan.trials());
    }

    /** Returns what ended the sweep before its time. */
    synchronized Optional<RuntimeException> failure() {
        return Optional.ofNullable(failure);
    }

    /** Ends the sweep; running trials go on. */
    synchronized void fail(RuntimeException cause) {
        failure = cause;
    }

    private boolean mayGenerate() {
        if (count == plan.trials()) {
            return false;
        }
        if (!plan.learns()) {
            return true;
        }
        int needed = count - plan.parallel() + 1;
        for (int i = reported; i < needed; i++) {
            if (!ended.containsKey(i)) {
                return false;
            }
        }
        while (reported < needed) {
            TrialResult result = ended.get(reported);
            Candidate<?> candidate = generated.remove(reported);
            if (result != null && candidate != null) {
                delegate.reportResults(Outcomes.of(candidate, result));
            }
            reported++;
        }
        return true;
    }

    private void generate() {
        if (!delegate.hasMoreCandidates()) {
            exhausted = true;
            return;
        }
        Candidate<?> candidate = candidate();
        ParameterValues values = candidate.getException() == null ? (ParameterValues) candidate.getValue() : null;
        if (plan.search().name().startsWith("GRID") && values != null && !seen.add(values)) {
            return;
        }
        int index = count++;
        Candidate<?> own =
                new Candidate<>(() -> values, index, candidate.getFlatParameters(), null, candidate.getException());
        generated.put(index, own);
        ParameterValues parameters = values == null ? new ParameterValues(Map.of()) : values;
        Optional<TrialResult> known = record.known(index, parameters);
        if (known.isPresent()) {
            ended.put(index, known.get());
        } else if (values == null) {
            TrialResult failed =
                    TrialResult.notRun(index, parameters, "it could not be generated: " + candidate.getException());
            record.ended(failed);
            ended.put(index, failed);
        } else {
            next = own;
        }
    }

    private Candidate<?> candidate() {
        try {
            return delegate.getCandidate();
        } catch (RuntimeException e) {
            return new Candidate<>(() -> null, count, new double[0], null, e);
        }
    }

    @Override
    public synchronized Candidate<?> getCandidate() {
        Candidate<?> candidate = next;
        if (candidate == null) {
            throw new IllegalStateException("there is no candidate");
        }
        next = null;
        running++;
        return candidate;
    }

    /** Notes the end of a trial that was handed out. */
    synchronized void ended(TrialResult trial) {
        ended.put(trial.index(), trial);
        running--;
    }

    /** Does nothing: Arbiter's runner does not report failed trials, so {@link #ended} is told instead. */
    @Override
    public void reportResults(OptimizationResult result) {
        // see above
    }

    @Override
    public ParameterSpace<?> getParameterSpace() {
        return delegate.getParameterSpace();
    }

    @Override
    public void setRngSeed(long seed) {
        // the delegate has its seed
    }

    @Override
    public Class<?> getCandidateType() {
        return ParameterValues.class;
    }
}
