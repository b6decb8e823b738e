package dev.samediff.adapters.train;

/** Training met a loss, a gradient or a parameter that is not a number; the parameters are those of the last good step. */
public final class NonFiniteException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    NonFiniteException(String message) {
        super(message);
    }
}
