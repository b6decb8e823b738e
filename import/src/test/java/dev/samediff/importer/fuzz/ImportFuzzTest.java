package dev.samediff.importer.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.Effort;
import dev.samediff.importer.ImportOptions;
import dev.samediff.importer.OnnxImporter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Whatever a file holds, it is imported or refused with a message, soon, and without filling the memory.
 *
 * <p>Other files: {@code -Dfuzz.seed=N -Dfuzz.count=N}; one file: a count of 1 with the seed a failure names.
 */
class ImportFuzzTest {
    private static final long FIRST = Long.getLong("fuzz.seed", 0);
    private static final int COUNT = Integer.getInteger("fuzz.count", 3000);
    private static final Duration LONGEST = Duration.ofSeconds(5);

    /** Heap that one import may allocate altogether, garbage included. */
    private static final long MOST_ALLOCATED = 2L << 30;

    private static final long MOST_NATIVE = 1L << 30;
    private static final Duration GIVING_BACK = Duration.ofMillis(300);
    private static final long HEAP_END = 32L << 30;
    private static final Pattern MAPPING = Pattern.compile("([0-9a-f]+)-[0-9a-f]+ ");
    private static final int SHRUNK = 12;

    @TempDir
    Path folder;

    private Corpus corpus;
    private long slowest;
    private long mostAllocated;

    /** What became of a file: a refusal has a sentence, a failure what is wrong. */
    private record Outcome(boolean imported, String failure) {
        boolean failed() {
            return !failure.isEmpty();
        }
    }

    @BeforeEach
    void prepare() throws IOException {
        corpus = new Corpus();
        Corpus.writeData(folder);
    }

    @Test
    void every_file_of_the_corpus_is_imported() {
        for (Corpus.Base base : corpus.all()) {
            assertThat(outcome(base.bytes(), 0)).as(base.name()).isEqualTo(new Outcome(true, ""));
        }
    }

    @Test
    void mutations_are_imported_or_refused() throws IOException {
        long nativeBefore = nativeBytes();
        Map<String, List<Long>> failures = new LinkedHashMap<>();
        int imported = 0;
        long start = System.nanoTime();
        for (long seed = FIRST; seed < FIRST + COUNT; seed++) {
            Mutant mutant = Mutant.of(seed, corpus);
            Outcome outcome = outcome(mutant.bytes(corpus), seed);
            imported += outcome.imported() ? 1 : 0;
            if (outcome.failed()) {
                failures.computeIfAbsent(outcome.failure(), key -> new ArrayList<>())
                        .add(seed);
            }
        }
        LoggerFactory.getLogger(ImportFuzzTest.class)
                .info(
                        "{} mutations in {} s: {} imported, {} failed; slowest {} ms, at most {} MB allocated",
                        COUNT,
                        (System.nanoTime() - start) / 1_000_000_000,
                        imported,
                        failures.size(),
                        slowest / 1_000_000,
                        mostAllocated >> 20);
        String report = failures.entrySet().stream()
                .map(failure ->
                        failure.getValue() + ": " + described(failure.getValue().get(0)))
                .limit(SHRUNK)
                .collect(Collectors.joining("\n\n"));
        assertThat(failures.keySet()).as(report).isEmpty();
        assertThat(nativeBytes() - nativeBefore).as("bytes outside of the heap").isLessThan(MOST_NATIVE);
    }

    private String described(long seed) {
        Mutant mutant = Mutant.of(seed, corpus);
        String wrong = outcome(mutant.bytes(corpus), seed).failure();
        byte[] least = wrong.contains(" s,")
                ? mutant.bytes(corpus)
                : new Shrinker(corpus, bytes -> outcome(bytes, seed).failure().equals(wrong)).shrink(mutant);
        return "seed " + seed + " of " + mutant.base().name() + ", "
                + Shrinker.difference(mutant.base().bytes(), least) + ": " + wrong;
    }

    private Outcome outcome(byte[] bytes, long seed) {
        try {
            Path file = Files.write(folder.resolve("mutant.onnx"), bytes);
            return Effort.within(LONGEST, () -> importing(file, seed));
        } catch (Effort.Exceeded e) {
            return new Outcome(false, e.getMessage() + ", at " + place(e.getStackTrace()));
        } catch (Exception e) {
            throw new IllegalStateException("seed " + seed, e);
        }
    }

    private Outcome importing(Path file, long seed) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long id = Thread.currentThread().getId();
        long before = threads.getThreadAllocatedBytes(id);
        boolean imported = false;
        String failure = "";
        try {
            ImportOptions options =
                    Math.floorMod(seed, 4) == 1 ? ImportOptions.inDoublePrecision() : ImportOptions.defaults();
            if (Math.floorMod(seed, 8) == 3) {
                OnnxImporter.inspect(file);
            } else {
                OnnxImporter.load(file, options);
            }
            imported = true;
        } catch (InvalidInputException e) {
            if (e.getMessage() == null || e.getMessage().isBlank()) {
                failure = "a refusal without a message, at " + place(e.getStackTrace());
            }
        } catch (Throwable e) {
            failure = e.getClass().getName() + ", at " + place(e.getStackTrace());
        }
        long took = Effort.ofThisThread().toNanos();
        long allocated = threads.getThreadAllocatedBytes(id) - before;
        slowest = Math.max(slowest, took);
        mostAllocated = Math.max(mostAllocated, allocated);
        if (failure.isEmpty() && allocated > MOST_ALLOCATED) {
            failure = "more than " + (MOST_ALLOCATED >> 20) + " MB allocated";
        }
        return new Outcome(imported, failure);
    }

    /** The innermost places of this project in a stack. */
    private static String place(StackTraceElement[] stack) {
        return Arrays.stream(stack)
                .filter(frame -> frame.getClassName().startsWith("dev.samediff.importer")
                        && !frame.getClassName().contains("fuzz"))
                .limit(2)
                .map(frame -> frame.getFileName() + ":" + frame.getLineNumber())
                .collect(Collectors.joining(" from "));
    }

    /**
     * What the process holds outside of the Java heap once what nobody refers to is given back; 0 where /proc is not there
     * to tell. A heap of less than 32 GB lies below that address; its pages come and go with the collector.
     */
    private static long nativeBytes() throws IOException {
        Path maps = Path.of("/proc/self/smaps");
        if (!Files.isReadable(maps)) {
            return 0;
        }
        System.gc();
        try {
            Thread.sleep(GIVING_BACK.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        long bytes = 0;
        boolean heap = false;
        for (String line : Files.readAllLines(maps)) {
            Matcher start = MAPPING.matcher(line);
            if (start.lookingAt()) {
                heap = Long.parseUnsignedLong(start.group(1), 16) < HEAP_END;
            } else if (line.startsWith("Rss:") && !heap) {
                bytes += Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        return bytes;
    }
}
