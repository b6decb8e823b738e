package dev.samediff.adapters.engine.program;

/** How many numbers become one. */
public enum ReduceKind {
    /** Their sum. */
    SUM,
    /** Their mean. */
    MEAN,
    /** The largest. */
    MAX,
    /** The smallest. */
    MIN
}
