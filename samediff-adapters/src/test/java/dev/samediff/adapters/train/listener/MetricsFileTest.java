package dev.samediff.adapters.train.listener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.ForkedJvm;
import dev.samediff.adapters.testing.Programs;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingPlan;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsFileTest {
    private static final int STEPS = 2000;
    private static final TrainingPlan PLAN = TrainingPlan.builder().steps(STEPS).build();

    @TempDir
    Path folder;

    private static void write(Path file, int from, int to) {
        try (MetricsFile metrics = new MetricsFile(file)) {
            metrics.onStart(PLAN, STEPS, from);
            for (int step = from + 1; step <= to; step++) {
                metrics.onStep(new StepReport(step, 1.5, 0, 1e-3, 1, 10, 0.1));
            }
        }
    }

    /** Resumes again and again. */
    static final class Resuming {
        private Resuming() {}

        public static void main(String[] arguments) {
            System.out.println("begin");
            System.out.flush();
            for (; ; ) {
                write(Path.of(arguments[0]), STEPS, STEPS);
            }
        }
    }

    /** A training may be resumed in a folder from elsewhere. */
    @Test
    void a_pipe_or_an_endless_file_in_its_place_is_refused() throws IOException, InterruptedException {
        Path hole = folder.resolve("hole.jsonl");
        try (RandomAccessFile file = new RandomAccessFile(hole.toFile(), "rw")) {
            file.setLength(20L << 30);
        }
        Path pipe = folder.resolve("pipe.jsonl");
        List<Path> places = Programs.succeeds("mkfifo", pipe.toString()) ? List.of(hole, pipe) : List.of(hole);
        for (Path place : places) {
            assertThatThrownBy(() -> write(place, STEPS, STEPS))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("the metrics of a run");
        }
    }

    @Test
    void a_kill_while_a_training_is_resumed_loses_no_line() throws Exception {
        Path file = folder.resolve("metrics.jsonl");
        write(file, 0, STEPS);
        String whole = Files.readString(file);
        Random random = new Random(1);
        for (int kill = 0; kill < Integer.getInteger("kills", 5); kill++) {
            Process resuming = new ForkedJvm().start(Resuming.class, file.toString());
            assertThat(resuming.getInputStream().read()).isEqualTo('b');
            Thread.sleep(random.nextInt(300));
            resuming.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
            assertThat(Files.readString(file)).isEqualTo(whole);
        }
        write(file, STEPS, STEPS);
        assertThat(Files.list(folder)).containsExactly(file);
    }

    @Test
    void a_full_disk_at_the_resume_loses_no_line() throws Exception {
        String disk = Files.createDirectory(folder.resolve("disk")).toString();
        assumeTrue(
                Programs.succeeds("mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", disk),
                "needs the right to mount a tmpfs of 512 KiB");
        try {
            Path file = folder.resolve("disk/metrics.jsonl");
            write(file, 0, STEPS);
            String whole = Files.readString(file);
            assertThatThrownBy(() -> {
                        Files.write(folder.resolve("disk/other"), new byte[1 << 20]);
                    })
                    .hasMessageContaining("No space left");
            assertThatThrownBy(() -> write(file, STEPS, STEPS)).hasMessageContaining("free space");
            assertThat(Files.readString(file)).isEqualTo(whole);
        } finally {
            Programs.succeeds("umount", disk);
        }
    }

    @Test
    void what_comes_after_the_step_and_damaged_lines_are_dropped() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        write(file, 0, 10);
        Files.write(file, new byte[] {'{', '"', (byte) 0xff, '\n'}, StandardOpenOption.APPEND);
        write(file, 6, 8);
        List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        assertThat(lines).hasSize(8);
        assertThat(lines.get(7)).contains("\"step\":8");
    }

    @Test
    void a_line_without_an_event_is_dropped_and_the_others_stay() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        write(file, 0, 3);
        String whole = Files.readString(file);
        Files.writeString(file, "null\n[]\n7\n\n\"x\"\n" + whole);
        write(file, 3, 3);
        assertThat(file).hasContent(whole);
    }
}
