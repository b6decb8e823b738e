package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.testing.ForkedJvm;
import dev.samediff.adapters.testing.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** A command in a process of its own, to be ended from outside. */
record Running(Process process, Path errors) {
    private static final int MINUTES = 3;

    /** Starts a command; what it says goes to a file in the folder. */
    static Running start(Path folder, String... arguments) throws IOException {
        Path errors = Files.createTempFile(folder, "errors", "");
        Process process = new ForkedJvm().errorsTo(errors).start(Cli.class, arguments);
        return new Running(process, errors);
    }

    /** Sends a signal and returns the exit code. */
    int signal(String name) throws Exception {
        requireHeard(name);
        assertThat(Programs.succeeds("kill", "-" + name, Long.toString(process.pid())))
                .isTrue();
        return end();
    }

    /** Ends it as a power failure would, as far as it knows: SIGKILL. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** Waits for its end and returns the exit code. */
    int end() throws Exception {
        assertThat(process.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
        return process.exitValue();
    }

    String said() throws IOException {
        return Files.readString(errors);
    }

    /** A signal that this process was started to ignore, as by {@code nohup ... &}, its children ignore as well. */
    private void requireHeard(String name) throws IOException {
        int number = List.of("HUP", "INT").indexOf(name); // one below the system's
        Path status = Path.of("/proc/self/status");
        if (number < 0 || !Files.exists(status)) {
            return;
        }
        long ignored = Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                .findFirst()
                .orElse(0);
        if ((ignored >> number & 1) == 1) {
            process.destroyForcibly();
        }
        assumeTrue((ignored >> number & 1) == 0, "SIG" + name + " is ignored here; run the tests in the foreground");
    }

    /** Waits until something is so. */
    void await(Callable<Boolean> condition) throws Exception {
        while (!condition.call()) {
            assertThat(process.isAlive()).as(said()).isTrue();
            Thread.sleep(5);
        }
    }
}
