package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a command that a signal ends leaves and says. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class SignalTest {
    private static final int STEPS = 40;

    @TempDir
    static Path together;

    /** A run that nobody interrupts. */
    private static Path straight = Path.of("");

    @TempDir
    Path folder;

    @BeforeAll
    static void runStraight() throws Exception {
        straight = together.resolve("straight");
        Running run = Running.start(together, fineTune(straight));
        assertThat(run.end()).as(run.said()).isZero();
    }

    private static String[] fineTune(Path out) {
        return ("finetune --steps " + STEPS
                        + " --batch 2 --rank 2 --targets c_attn --eval-every 0 --eval-count 0 --out " + out)
                .split(" ");
    }

    @ParameterizedTest
    @CsvSource({"INT,130", "TERM,143", "HUP,129"})
    void a_training_that_a_signal_ends_goes_on_where_it_was_and_gives_the_same_adapter(String signal, int exitCode)
            throws Exception {
        Path out = folder.resolve("out");
        Running run = Running.start(folder, fineTune(out));
        run.await(() -> lines(out) >= 4);
        assertThat(run.signal(signal)).as(run.said()).isEqualTo(exitCode);
        int step = onlyCheckpoint(out);
        assertThat(run.said()).contains("stopped; go on from step " + step + " with: samples/run finetune", "--resume");

        List<String> again = new ArrayList<>(Arrays.asList(fineTune(out)));
        again.add("--resume");
        Running resumed = Running.start(folder, again.toArray(String[]::new));
        assertThat(resumed.end()).as(resumed.said()).isZero();
        assertSame(out);
    }

    /** As often as {@code -Dkills} says (2): {@code -Dkills=100} is the long run. */
    @Test
    void a_training_that_is_killed_again_and_again_gives_the_same_adapter_and_metrics() throws Exception {
        Random random = new Random(4);
        int left = Integer.getInteger("kills", 2);
        for (int chain = 0; left > 0; chain++) {
            Path out = folder.resolve("out" + chain);
            Running run = Running.start(folder, checkpointed(out));
            for (int kill = 0; kill < 6 && left > 0; kill++, left--) {
                int lines = lines(out) + 4 + random.nextInt(6);
                run.await(() -> lines(out) >= Math.min(lines, STEPS - 1));
                Thread.sleep(random.nextInt(60));
                run.kill();
                run = Running.start(folder, checkpointed(out, "--resume"));
            }
            assertThat(run.end()).as(run.said()).isZero();
            assertSame(out);
            assertThat(Files.list(out.resolve("checkpoints"))
                            .filter(each -> each.getFileName().toString().startsWith(".")))
                    .isEmpty();
        }
    }

    private static String[] checkpointed(Path out, String... more) {
        return Stream.of(Stream.of(fineTune(out)), Stream.of("--checkpoint-every", "2"), Stream.of(more))
                .flatMap(words -> words)
                .toArray(String[]::new);
    }

    private static int lines(Path out) throws IOException {
        Path metrics = out.resolve("metrics.jsonl");
        return Files.exists(metrics) ? (int) Files.readString(metrics).lines().count() : 0;
    }

    private static void assertSame(Path out) throws IOException {
        for (String file : List.of("adapter/adapter_model.safetensors", "adapter/native/adapter.safetensors")) {
            assertThat(out.resolve(file)).hasSameBinaryContentAs(straight.resolve(file));
        }
        assertThat(steps(out)).isEqualTo(steps(straight)).hasSize(STEPS);
    }

    /** The lines of steps, without how long they took. */
    private static List<String> steps(Path out) throws IOException {
        return Files.readAllLines(out.resolve("metrics.jsonl")).stream()
                .filter(line -> line.contains("\"event\":\"step\""))
                .map(line -> line.replaceAll("\"seconds\":[^,}]+", ""))
                .toList();
    }

    private static int onlyCheckpoint(Path out) throws IOException {
        try (var checkpoints = Files.list(out.resolve("checkpoints"))) {
            List<String> names =
                    checkpoints.map(each -> each.getFileName().toString()).toList();
            assertThat(names).hasSize(1);
            return Integer.parseInt(names.get(0).substring("checkpoint-".length()));
        }
    }

    @Test
    void a_comparison_that_a_signal_ends_says_that_nothing_is_left() throws Exception {
        Path out = folder.resolve("out");
        Running run = Running.start(
                folder,
                ("compare --steps 2000 --batch 2 --rank 2 --eval-every 0 --eval-count 0 --out " + out).split(" "));
        run.await(() -> run.said().contains("training data"));
        assertThat(run.signal("TERM")).as(run.said()).isEqualTo(143);
        assertThat(run.said()).contains("stopped; methods are compared when all are done");
    }

    @Test
    void a_generation_that_a_signal_ends_says_so() throws Exception {
        Running run = Running.start(
                folder, "generate", "--prompts", prompts().toString(), "--temperature", "1", "--max-tokens", "100");
        Thread.sleep(1500);
        run.await(() -> true);
        assertThat(run.signal("INT")).as(run.said()).isEqualTo(130);
    }

    private Path prompts() throws IOException {
        return Files.writeString(folder.resolve("prompts.txt"), "Tom has 7 pens.\n".repeat(20_000));
    }
}
