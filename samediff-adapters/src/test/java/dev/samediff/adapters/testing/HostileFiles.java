package dev.samediff.adapters.testing;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.Sentence;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads mutations of a file, or of the files of a folder: each must be read or refused with an {@link InvalidInputException} whose message is
 * one sentence without a class's name, within five seconds of processor time and without gigabytes. How many: {@code -Dmutations=N}, first seed {@code
 * -Dmutations.seed=N}.
 */
public final class HostileFiles {
    private static final int DEFAULT = 300;
    private static final long FIRST = Long.getLong("mutations.seed", 0);
    private static final Duration LONGEST = Duration.ofSeconds(5);
    private static final int PLACES = 8;
    private static final long MOST_ALLOCATED = 1L << 30;
    private static final List<String> PROGRAMMERS_WORDS =
            List.of("Exception", "java.", "jackson", "org.nd4j", "dev.samediff", "protobuf", "Optional[", "\tat ");

    private final String name;
    private final Path valid;
    private final Path work;
    private final List<Path> files;

    /** Reads what lies at a path. */
    public interface Reader {
        void read(Path path) throws Exception;
    }

    /** Changes a file's bytes. */
    public interface Mutation {
        byte[] of(String fileName, byte[] bytes, Random random);
    }

    /** What became of a file. */
    private record Outcome(boolean read, String failure, long milliseconds) {}

    /**
     * Prepares mutations.
     *
     * @param name what is read, for the report
     * @param valid a file, or a folder of which one file at a time is changed
     * @param scratch where changed files may be written
     */
    public HostileFiles(String name, Path valid, Path scratch) throws IOException {
        this.name = name;
        this.valid = valid;
        this.work = scratch.resolve("mutant").resolve(String.valueOf(valid.getFileName()));
        if (Files.isDirectory(valid)) {
            try (Stream<Path> tree = Files.walk(valid)) {
                files = tree.filter(Files::isRegularFile).sorted().toList();
            }
        } else {
            files = List.of(valid);
        }
        for (Path file : files) {
            Files.createDirectories(parent(target(file)));
            Files.copy(file, target(file));
        }
    }

    /** How many mutations are asked for. */
    public static int count() {
        return Integer.getInteger("mutations", DEFAULT);
    }

    /** Reads the valid file and then the mutations; fails with what went wrong, and how to repeat it. */
    public void read(Reader reader) throws IOException {
        read(count(), Mutations::of, reader);
    }

    /** As {@link #read(Reader)}, with another number of mutations, of another kind. */
    public void read(int count, Mutation mutation, Reader reader) throws IOException {
        Outcome untouched = outcome(reader);
        if (!untouched.read) {
            throw new AssertionError(name + ": the valid file is not read: " + untouched.failure);
        }
        Map<String, List<String>> failures = new TreeMap<>();
        int read = 0;
        long slowest = 0;
        for (long seed = FIRST; seed < FIRST + count; seed++) {
            Random random = new Random(seed * 0x9E3779B97F4A7C15L);
            Path file = files.get(random.nextInt(files.size()));
            byte[] bytes = Files.readAllBytes(file);
            Files.write(target(file), mutation.of(file.getFileName().toString(), bytes, random));
            Outcome outcome = outcome(reader);
            Files.write(target(file), bytes);
            read += outcome.read ? 1 : 0;
            slowest = Math.max(slowest, outcome.milliseconds);
            if (!outcome.failure.isEmpty()) {
                failures.computeIfAbsent(outcome.failure, key -> new ArrayList<>())
                        .add("seed " + seed + " (" + file.getFileName() + ")");
            }
        }
        String summary = name + ": " + count + " mutations, " + read + " read, "
                + failures.values().stream().mapToInt(List::size).sum() + " failed, slowest " + slowest + " ms";
        report(summary);
        if (!failures.isEmpty()) {
            throw new AssertionError(summary + "\n"
                    + failures.entrySet().stream()
                            .map(f -> f.getValue().size() + "x " + f.getKey() + "\n    first: "
                                    + f.getValue().get(0))
                            .collect(Collectors.joining("\n")));
        }
    }

    /** One line a reader, beside the reports of the tests; the counts of docs/reliability.md are made of them. */
    private static void report(String summary) throws IOException {
        Path file = Path.of("target", "mutations.txt");
        if (Files.isDirectory(Path.of("target"))) {
            Files.writeString(
                    file, summary + System.lineSeparator(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    private Outcome outcome(Reader reader) {
        try {
            return Effort.within(LONGEST, () -> reading(reader, work));
        } catch (Effort.Exceeded e) {
            return new Outcome(false, e.getMessage() + ", at " + place(e.getStackTrace()), LONGEST.toMillis());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static Outcome reading(Reader reader, Path path) {
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        boolean read = false;
        String failure = "";
        try {
            reader.read(path);
            read = true;
        } catch (InvalidInputException e) {
            failure = fault(String.valueOf(e.getMessage()).replace(path.toString(), "FILE"));
            failure = failure.isEmpty() ? "" : failure + ", at " + place(e.getStackTrace());
        } catch (Throwable e) {
            failure = e.getClass().getName() + ", at " + place(e.getStackTrace()) + ": " + e.getMessage();
        }
        if (failure.isEmpty() && threads.getCurrentThreadAllocatedBytes() - before > MOST_ALLOCATED) {
            failure = "more than " + (MOST_ALLOCATED >> 20) + " MB allocated";
        }
        return new Outcome(read, failure, Effort.ofThisThread().toMillis());
    }

    /** What is wrong with a sentence; nothing if nothing is. */
    private static String fault(String message) {
        if (message.isBlank() || message.equals("null")) {
            return "a refusal without words";
        }
        if (message.length() > Sentence.LONGEST) {
            return "a refusal of " + message.length() + " characters: " + message.substring(0, 100);
        }
        String own =
                message.replaceAll("names the class `[^`]*`", ""); // by the file's word, which a mutation may misspell
        return PROGRAMMERS_WORDS.stream()
                .filter(own::contains)
                .findFirst()
                .map(word -> "a refusal with `" + word + "` in it: " + message)
                .orElse("");
    }

    /** The innermost places of this project in a stack. */
    private static String place(StackTraceElement[] stack) {
        return Arrays.stream(stack)
                .filter(frame -> frame.getClassName().startsWith("dev.samediff")
                        && !frame.getClassName().contains("HostileFiles"))
                .limit(PLACES)
                .map(frame -> frame.getFileName() + ":" + frame.getLineNumber())
                .collect(Collectors.joining(" from "));
    }

    private Path target(Path file) {
        return Files.isDirectory(valid) ? work.resolve(valid.relativize(file).toString()) : work;
    }

    private static Path parent(Path path) {
        Path parent = path.getParent();
        if (parent == null) {
            throw new UncheckedIOException(new IOException(path + " has no parent"));
        }
        return parent;
    }
}
