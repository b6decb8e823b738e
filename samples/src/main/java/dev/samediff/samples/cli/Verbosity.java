package dev.samediff.samples.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Keeps what libraries print away from the results: ND4J writes remarks to standard output. */
final class Verbosity {
    /** Log level of {@code logback.xml}; set before the first logger exists. */
    static final String LEVEL = "samediff.log";

    private Verbosity() {}

    /** Sends what libraries print to standard error if {@code verbose}, nowhere otherwise. */
    static void apply(boolean verbose) {
        System.setOut(
                verbose ? System.err : new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        if (System.getProperty(LEVEL) == null) {
            System.setProperty(LEVEL, verbose ? "INFO" : "WARN");
        }
    }
}
