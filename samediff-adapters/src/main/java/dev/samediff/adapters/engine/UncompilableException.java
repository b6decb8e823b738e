package dev.samediff.adapters.engine;

/** A graph, or a use of it, for which there is no static plan; the message says which op and why. */
public final class UncompilableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /**
     * Creates it.
     *
     * @param message what stands in the way
     */
    public UncompilableException(String message) {
        super(message);
    }

    /**
     * Creates it.
     *
     * @param message what stands in the way
     * @param cause what was thrown there
     */
    public UncompilableException(String message, Throwable cause) {
        super(message, cause);
    }
}
