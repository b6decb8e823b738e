package dev.samediff.samples.task;

/** Whether what a model wrote is right. */
@FunctionalInterface
public interface ExactMatch {
    /**
     * Compares.
     *
     * @param written what the model wrote after the prompt
     * @param expected the example's response
     */
    boolean matches(String written, String expected);

    /** The same text, apart from blanks around it. */
    static ExactMatch wholeResponse() {
        return (written, expected) -> written.strip().equals(expected.strip());
    }
}
