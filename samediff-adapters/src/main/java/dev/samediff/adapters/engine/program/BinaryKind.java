package dev.samediff.adapters.engine.program;

/** A function of two numbers. */
public enum BinaryKind {
    /** a + b. */
    ADD,
    /** a - b. */
    SUBTRACT,
    /** a b. */
    MULTIPLY,
    /** a / b. */
    DIVIDE,
    /** The larger one. */
    MAXIMUM,
    /** The smaller one. */
    MINIMUM;

    /** Tells whether the operands may be exchanged. */
    public boolean isCommutative() {
        return this != SUBTRACT && this != DIVIDE;
    }
}
