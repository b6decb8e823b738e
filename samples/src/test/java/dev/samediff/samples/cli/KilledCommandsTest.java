package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Sweeps and merges are killed (SIGKILL) at random moments, as often as {@code -Dkills} says (2 of each): no finished trial is lost, and
 * what is at {@code --out} is the old file or the new one. Trainings: {@link SignalTest}.
 */
class KilledCommandsTest {
    private static final int KILLS = Integer.getInteger("kills", 2);
    private static final int KILLS_OF_ONE_SWEEP = 5;
    private static final long LONGEST_PAUSE_MILLIS = 200;

    @TempDir
    Path folder;

    @Test
    void a_sweep_that_is_killed_again_and_again_loses_no_finished_trial_and_ends_with_the_same_journal()
            throws Exception {
        Running straight = Running.start(folder, sweep(folder.resolve("straight")));
        assertThat(straight.end()).as(straight.said()).isZero();
        List<JsonNode> whole = trials(folder.resolve("straight"));
        Random random = new Random(5);
        int left = KILLS;
        for (int chain = 0; left > 0; chain++) {
            Path out = folder.resolve("sweep" + chain);
            List<String> before = List.of();
            Running run = Running.start(folder, sweep(out));
            for (int kill = 0; kill < KILLS_OF_ONE_SWEEP && left > 0; kill++, left--) {
                int more = Math.min(before.size() + random.nextInt(2), whole.size() - 1);
                run.await(() ->
                        Files.exists(out.resolve("sweep.json")) && lines(out).size() >= more);
                Thread.sleep(random.nextInt(400));
                run.kill();
                List<String> now = lines(out);
                assertThat(now.subList(0, Math.min(before.size(), now.size())))
                        .as("finished trials after a kill")
                        .isEqualTo(before);
                before = now;
                run = Running.start(folder, "sweep", "--out", out.toString(), "--resume");
            }
            assertThat(run.end()).as(run.said()).isZero();
            assertThat(lines(out).subList(0, before.size())).isEqualTo(before);
            assertThat(trials(out)).isEqualTo(whole);
            assertThat(hidden(out)).isEmpty();
        }
    }

    private String[] sweep(Path out) throws IOException {
        Path sums = Files.writeString(
                folder.resolve("sums.jsonl"), "{\"prompt\": \"1+1=\", \"response\": \"2\"}\n".repeat(12));
        return ("sweep --trials 5 --steps 3 --batch 2 --eval-every 1 --eval-count 0 --prune none --train " + sums
                        + " --eval " + sums + " --out " + out)
                .split(" ");
    }

    /** The lines that are whole. */
    private static List<String> lines(Path out) throws IOException {
        Path journal = out.resolve("journal.jsonl");
        String text = Files.exists(journal) ? Files.readString(journal) : "";
        return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
    }

    /** What the journal says of every trial, without how long it took. */
    private static List<JsonNode> trials(Path out) throws IOException {
        List<JsonNode> trials = new ArrayList<>();
        for (String line : Files.readAllLines(out.resolve("journal.jsonl"))) {
            trials.add(((ObjectNode) Json.parse(line)).without("seconds"));
        }
        return trials;
    }

    /** What a killed merge left at {@code --out}. */
    private enum Left {
        OLD,
        NEW
    }

    @Test
    void a_merge_that_is_killed_leaves_the_old_file_or_the_new_one_and_the_next_one_cleans_up() throws Exception {
        Path adapter = folder.resolve("run");
        assertThat(Run.of(("finetune --steps 1 --batch 2 --rank 2 --targets c_attn --eval-every 0 --eval-count 0 --out "
                                        + adapter)
                                .split(" "))
                        .exitCode())
                .isZero();
        Path merged = Files.createDirectory(folder.resolve("merged"));
        Path out = merged.resolve("m.onnx");
        String[] merge = {"merge", "--adapter", adapter.resolve("adapter").toString(), "--out", out.toString()};
        Running straight = Running.start(folder, merge);
        long start = System.nanoTime();
        assertThat(straight.end()).as(straight.said()).isZero();
        long took = (System.nanoTime() - start) / 1_000_000;
        byte[] whole = Files.readAllBytes(out);
        byte[] old = Arrays.copyOf(whole, whole.length / 2);
        String[] again =
                Stream.concat(Arrays.stream(merge), Stream.of("--overwrite")).toArray(String[]::new);
        Map<Left, Integer> states = new EnumMap<>(Left.class);
        Random random = new Random(6);
        for (int kill = 0; kill < KILLS; kill++) {
            Files.write(out, old);
            Running run = Running.start(folder, again);
            switch (kill % 4) {
                case 0, 2 -> { // while the new file is written
                    until(() -> !run.process().isAlive() || !hidden(merged).isEmpty());
                    Thread.sleep(random.nextLong(LONGEST_PAUSE_MILLIS));
                }
                case 1 -> until(() -> !run.process().isAlive() || Files.size(out) != old.length); // just after
                default -> Thread.sleep((long) (took * (0.3 + 0.8 * random.nextDouble()))); // at any moment
            }
            run.kill();
            byte[] now = Files.readAllBytes(out);
            assertThat(Arrays.equals(now, old) || Arrays.equals(now, whole))
                    .as(
                            "kill %d: %d bytes, the old file has %d, the new one %d",
                            kill, now.length, old.length, whole.length)
                    .isTrue();
            states.merge(now.length == old.length ? Left.OLD : Left.NEW, 1, Integer::sum);
        }
        System.out.println("killed merges left " + states);
        Running last = Running.start(folder, again);
        assertThat(last.end()).as(last.said()).isZero();
        assertThat(out).hasBinaryContent(whole);
        assertThat(hidden(merged)).isEmpty();
    }

    private static void until(Callable<Boolean> condition) throws Exception {
        while (!condition.call()) {
            Thread.onSpinWait();
        }
    }

    /** What writers have in a folder while they write. */
    private static List<Path> hidden(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(each -> each.getFileName().toString().startsWith("."))
                    .filter(each -> !each.endsWith(".samediff-manifest.json"))
                    .toList();
        }
    }
}
