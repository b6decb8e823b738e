package dev.samediff.tuning;

/** Ends a trial from inside: it is hopeless, or its time is over. Trials let it pass. */
public final class TrialStopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean pruned;

    TrialStopped(boolean pruned, String message) {
        super(message);
        this.pruned = pruned;
    }

    /** Returns whether the trial is hopeless; otherwise its time is over. */
    public boolean isPruned() {
        return pruned;
    }
}
