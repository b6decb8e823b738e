package dev.samediff.tuning;

import org.nd4j.linalg.factory.Nd4j;

/** Starts ND4J once before a sweep, so that a broken class path ends it at once and not every trial one by one. */
final class Backend {
    private Backend() {}

    static void probe() {
        try {
            Nd4j.scalar(1f).addi(1f);
        } catch (LinkageError e) {
            throw new IllegalStateException(
                    "ND4J does not start (" + e + "); most often another ND4J is on the class path: Arbiter beta7 must"
                            + " be used with all its dependencies excluded, see docs/tuning.md",
                    e);
        }
    }
}
