package dev.samediff.tuning;

import dev.samediff.tuning.space.ParameterValues;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What a trial sees: its parameters, and whether it should go on. Belongs to one attempt of one trial. */
public final class TrialContext {
    private final TrialSpec spec;
    private final Consumer<LearningCurve.Point> audience;
    private final List<LearningCurve.Point> reports = new ArrayList<>();
    private volatile boolean timeIsOver;

    TrialContext(TrialSpec spec, Consumer<LearningCurve.Point> audience) {
        this.spec = spec;
        this.audience = audience;
    }

    /** Returns the trial's number, from 0. */
    public int index() {
        return spec.index();
    }

    /** Returns what is tried. */
    public ParameterValues parameters() {
        return spec.parameters();
    }

    /** Returns the seed for everything random; the same for all trials of a sweep, so that they differ in their parameters only. */
    public long seed() {
        return spec.seed();
    }

    /** Returns how many threads this trial should compute with. */
    public int threads() {
        return spec.threads();
    }

    /**
     * Tells an intermediate value.
     *
     * @param step steps made so far, 0 or more, and more than at the last report
     * @param value what is minimised, as it is now
     * @throws TrialStopped if the time of this trial is over
     * @throws ArithmeticException if the value is not finite
     * @throws IllegalArgumentException if the step is negative or does not rise
     */
    public void report(long step, double value) {
        stopIfTimeIsOver();
        if (!Double.isFinite(value)) {
            throw new ArithmeticException("the value reported at step " + step + " is " + value);
        }
        if (step < 0) {
            throw new IllegalArgumentException("step " + step + " was reported; steps are counted from 0");
        }
        LearningCurve.Point point = new LearningCurve.Point(step, value);
        synchronized (reports) {
            if (!reports.isEmpty() && step <= reports.get(reports.size() - 1).step()) {
                throw new IllegalArgumentException("step " + step + " was reported after step "
                        + reports.get(reports.size() - 1).step() + "; steps must rise");
            }
            reports.add(point);
        }
        audience.accept(point);
    }

    /** Returns whether this trial is hopeless by the sweep's pruning, going by its reports. */
    public boolean shouldPrune() {
        return spec.pruning().isHopeless(curve(), spec.known());
    }

    /**
     * Ends the trial if it is hopeless.
     *
     * @throws TrialStopped if it is
     */
    public void stopIfHopeless() {
        if (shouldPrune()) {
            throw new TrialStopped(true, "given up by " + spec.pruning());
        }
    }

    /**
     * Ends the trial if its time is over; trials that report seldom call it often.
     *
     * @throws TrialStopped if it is
     */
    public void stopIfTimeIsOver() {
        if (timeIsOver) {
            throw new TrialStopped(false, "stopped: it took longer than " + spec.limit());
        }
    }

    /** Returns all reports. */
    LearningCurve curve() {
        synchronized (reports) {
            return new LearningCurve(reports);
        }
    }

    void endTime() {
        timeIsOver = true;
    }
}
