package dev.samediff.adapters;

/**
 * Something the user gave cannot be used: a file, a name, a number. The message is one sentence that says what, which
 * value, what was expected, what exists, and what to do, made short and safe to print where what a file holds is quoted in it
 * ({@link Sentence}). The command line prints it and ends with exit code 2.
 */
public class InvalidInputException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** Creates the exception with a sentence for the user. */
    public InvalidInputException(String message) {
        super(Sentence.of(message));
    }

    /** Creates the exception with a sentence for the user and the failure behind it. */
    public InvalidInputException(String message, @org.jspecify.annotations.Nullable Throwable cause) {
        super(Sentence.of(message), cause);
    }
}
