package dev.samediff.adapters.text.generation;

/** A model gave scores that no token can be chosen by: its weights, or an adapter's, are damaged, or its training diverged. */
public final class NonFiniteLogitsException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    NonFiniteLogitsException(String message) {
        super(message);
    }
}
