package dev.samediff.samples.evaluate;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Runs programs that a model wrote, each in a process of its own: a new empty folder, no variable of the environment, and limits of time,
 * memory and size of files. That keeps mistakes from doing harm; it is no prison: a program may read what its user
 * may read, and use the network.
 */
public final class Sandbox {
    /** What limits the process before it becomes Python, which -I hides the environment and the user's packages from. */
    private static final String LIMITED =
            "ulimit -c 0 && ulimit -t %d && ulimit -v %d && ulimit -f %d && exec \"$0\" -I -B program.py";

    private static final int FILE_BLOCKS = 2048; // of 512 bytes
    private static final long KILOBYTE = 1024;

    private final Path python;
    private final Duration time;
    private final long memory;
    private final SecureRandom random = new SecureRandom();

    /**
     * Looks for Python.
     *
     * @param time most time of one program
     * @param memory most bytes of address space of one program
     * @throws InvalidInputException if there is no shell that sets limits, or no Python 3 that runs without an environment
     */
    public Sandbox(Duration time, long memory) {
        this.time = time;
        this.memory = memory;
        if (!Files.isExecutable(Path.of("/bin/sh"))) {
            throw new InvalidInputException(
                    "programs are run with limits that /bin/sh sets, and there is none; leave --unsafe-execute out");
        }
        this.python = candidates().stream()
                .flatMap(candidate -> real(candidate).stream())
                .filter(this::works)
                .findFirst()
                .orElseThrow(
                        () -> new InvalidInputException("there is no python3 in PATH that runs without an environment"
                                + " and within the limits; install one, or leave --unsafe-execute out"));
    }

    private static List<Path> candidates() {
        List<Path> found = new ArrayList<>();
        String path = System.getenv("PATH");
        for (String folder : (path == null ? "" : path).split(File.pathSeparator)) {
            found.add(Path.of(folder, "python3"));
        }
        found.add(Path.of("/usr/bin/python3"));
        return found.stream().filter(Files::isExecutable).distinct().toList();
    }

    /** Returns the interpreter behind a name, which may be a script that chooses one and sets variables. */
    private static Optional<Path> real(Path candidate) {
        ProcessBuilder builder = new ProcessBuilder(
                        candidate.toString(), "-I", "-c", "import sys; print(sys.executable)")
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().clear();
        try {
            Process process = builder.start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return said.isEmpty() ? Optional.empty() : Optional.of(Path.of(said));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private boolean works(Path candidate) {
        try {
            return passes(candidate, "");
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Runs a program to its end.
     *
     * @param program Python 3
     * @return whether its last line was reached, in time and within the limits
     * @throws IOException if no process can be started
     */
    public boolean passes(String program) throws IOException {
        return passes(python, program);
    }

    private boolean passes(Path interpreter, String program) throws IOException {
        byte[] secret =
                new byte[16]; // what is printed last; a program cannot know it, and so not leave early and seem to pass
        random.nextBytes(secret);
        String word = HexFormat.of().formatHex(secret);
        Path folder = Files.createTempDirectory("samediff-program");
        try {
            Files.writeString(folder.resolve("program.py"), program + "\nprint()\nprint('" + word + "')\n");
            Path output = folder.resolve("output");
            ProcessBuilder builder = new ProcessBuilder(
                            "/bin/sh",
                            "-c",
                            String.format(LIMITED, time.toSeconds() + 1, memory / KILOBYTE, FILE_BLOCKS),
                            interpreter.toString())
                    .directory(folder.toFile())
                    .redirectInput(new File("/dev/null"))
                    .redirectOutput(output.toFile())
                    .redirectError(ProcessBuilder.Redirect.DISCARD);
            builder.environment().clear();
            return ended(builder.start())
                    && Files.readString(output, StandardCharsets.ISO_8859_1)
                            .stripTrailing()
                            .endsWith("\n" + word);
        } finally {
            DurableFiles.deleteTree(folder);
        }
    }

    private boolean ended(Process process) throws IOException {
        try {
            return process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS) && process.exitValue() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a program ran", e);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }
}
