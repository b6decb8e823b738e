package dev.samediff.tuning;

import java.util.Locale;

/** How a trial ended. */
public enum TrialState {
    /** It ran to its end and has a score. */
    COMPLETE,
    /** It was given up as hopeless; its score is the last value it reported. */
    PRUNED,
    /** It threw, took too long, had a score that is not finite, or could not be generated. */
    FAILED;

    /** Returns the name in files. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
