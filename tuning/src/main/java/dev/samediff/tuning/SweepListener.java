package dev.samediff.tuning;

/** Is told how a sweep goes; by several threads, but never by two at the same time. Every method does nothing by default. */
public interface SweepListener {
    /**
     * The sweep starts.
     *
     * @param plan how it searches
     */
    default void onStart(SweepPlan plan) {}

    /** A trial of an earlier run was taken from the journal. */
    default void onKnown(TrialResult result) {}

    /** A trial starts. */
    default void onTrialStart(TrialSpec spec) {}

    /** A trial reported a value. */
    default void onReport(TrialSpec spec, LearningCurve.Point report) {}

    /** A trial ended and is in the journal. */
    default void onTrialEnd(TrialResult result) {}

    /** Something is worth knowing. */
    default void onNote(String note) {}
}
