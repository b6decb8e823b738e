package dev.samediff.adapters.testing;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** Programs of the system that some tests need. */
public final class Programs {
    private static final int SECONDS = 20;

    private Programs() {}

    /** Runs a program and returns whether it ended well; false if there is none or it takes too long. */
    public static boolean succeeds(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return false;
            }
            return process.exitValue() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
