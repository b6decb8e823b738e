package dev.samediff.tuning;

import java.io.Serializable;

/**
 * Makes the trial in another process. Equal factories make the same trial: it is made once per process, so a record of plain
 * values is the right form.
 */
@FunctionalInterface
public interface TrialFactory extends Serializable {
    /** Makes the trial; loads what it needs. */
    Trial create();
}
