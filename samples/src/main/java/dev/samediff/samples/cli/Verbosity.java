package dev.samediff.samples.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Keeps what libraries print away from the results: ND4J writes remarks to standard output. */
final class Verbosity {
    /** Log level of {@code logback.xml}, read when the first logger is made. */
    private static final String LEVEL = "samediff.log";

    /** The same for ND4J, which warns a lot. */
    private static final String ND4J_LEVEL = "samediff.log.nd4j";

    private Verbosity() {}

    /** Sends what libraries print to standard error if {@code verbose}, nowhere otherwise. */
    static void apply(boolean verbose) {
        System.setOut(
                verbose ? System.err : new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        if (verbose) {
            System.setProperty(LEVEL, "INFO");
            System.setProperty(ND4J_LEVEL, "INFO");
        }
    }
}
