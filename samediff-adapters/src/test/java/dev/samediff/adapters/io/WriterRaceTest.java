package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.testing.ForkedJvm;
import dev.samediff.adapters.testing.Programs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Several writers of one target and a reader. Everybody writes so many versions as {@code -Draces} says (60): none may fail, what
 * is read is always one version, nothing is left. {@code -Draces=1000} is the long run.
 */
class WriterRaceTest {
    private static final int RACES = Integer.getInteger("races", 60);

    @TempDir
    Path folder;

    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void end() {
        threads.shutdownNow();
        FolderExchange.atomic = true;
    }

    @ParameterizedTest
    @EnumSource(Versions.Kind.class)
    void threads_of_one_process_neither_fail_nor_mix(Versions.Kind kind) throws Exception {
        Path target = folder.resolve("target");
        List<Future<?>> writers = new ArrayList<>();
        kind.write(target, "first");
        for (String name : List.of("a", "b", "c")) {
            writers.add(threads.submit(() -> {
                for (int i = 0; i < RACES; i++) {
                    kind.write(target, name + "-" + i);
                }
                return name;
            }));
        }
        readWhile(writers, kind, target);
    }

    @ParameterizedTest
    @CsvSource({"FILE,one", "FOLDER,one", "FOLDER,two"})
    void processes_neither_fail_nor_mix(Versions.Kind kind, String renames) throws Exception {
        race(kind, new ForkedJvm(), renames);
    }

    @ParameterizedTest
    @CsvSource({"FILE,one", "FOLDER,one"})
    void containers_on_one_volume_neither_fail_nor_mix(Versions.Kind kind, String renames) throws Exception {
        assumeTrue(
                Programs.succeeds("unshare", "-p", "-f", "--mount-proc", "true"),
                "needs the right to make a PID namespace (unshare -p -f --mount-proc)");
        race(kind, new ForkedJvm().by("unshare", "-p", "-f", "--mount-proc"), renames);
    }

    private void race(Versions.Kind kind, ForkedJvm jvm, String renames) throws Exception {
        Path target = folder.resolve("target");
        kind.write(target, "first");
        List<Future<?>> writers = new ArrayList<>();
        for (String name : List.of("a", "b")) {
            writers.add(threads.submit(() ->
                    jvm.run(Versions.class, kind.name(), target.toString(), name, Integer.toString(RACES), renames)));
        }
        readWhile(writers, kind, target);
    }

    private void readWhile(List<Future<?>> writers, Versions.Kind kind, Path target) throws Exception {
        Set<String> seen = new HashSet<>();
        while (!writers.stream().allMatch(Future::isDone)) {
            seen.add(kind.read(target));
        }
        for (Future<?> writer : writers) {
            writer.get();
        }
        assertThat(seen).hasSizeGreaterThan(1);
        assertThat(kind.read(target)).endsWith("-" + (RACES - 1));
        assertThat(Versions.hidden(folder)).isEmpty();
    }

    @Test
    void a_writer_in_a_container_is_not_taken_for_a_dead_one() throws Exception {
        assumeTrue(
                Programs.succeeds("unshare", "-p", "-f", "--mount-proc", "true"),
                "needs the right to make a PID namespace (unshare -p -f --mount-proc)");
        Path target = folder.resolve("target");
        Versions.Kind.FOLDER.write(target, "first");
        DurableFiles.writeFolder(target, temporary -> {
            java.nio.file.Files.writeString(temporary.resolve("part1"), "x");
            try { // there, every process of this namespace looks dead
                new ForkedJvm().by("unshare", "-p", "-f", "--mount-proc").run(Reader.class, target.toString());
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            assertThat(temporary.resolve("part1")).exists();
        });
        assertThat(target.resolve("part1")).exists();
    }

    /** Reads, and tidies up as far as it may. */
    static final class Reader {
        private Reader() {}

        public static void main(String[] arguments) throws Exception {
            Path target = Path.of(arguments[0]);
            Versions.Kind.FOLDER.read(target);
            DurableFiles.removeLeftoversIn(java.util.Objects.requireNonNull(target.getParent()));
        }
    }
}
