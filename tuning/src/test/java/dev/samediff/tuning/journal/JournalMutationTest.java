package dev.samediff.tuning.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.JsonMutations;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Longer: {@code -Dmutations=20000}. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class JournalMutationTest {
    private static final int COUNT = Integer.getInteger("mutations", 500);
    private static final List<String> LINES = List.of(
            "{\"index\":0,\"parameters\":{\"rank\":8,\"eta\":0.01,\"method\":\"sorsa\"},\"state\":\"complete\",\"score\":0.25,"
                    + "\"seconds\":1.5,\"attempts\":1,\"curve\":[[10,0.3],[20,0.25]]}",
            "{\"index\":1,\"parameters\":{\"rank\":2},\"state\":\"pruned\",\"score\":0.5,\"seconds\":0.7,\"attempts\":2,"
                    + "\"curve\":[[10,0.5]]}",
            "{\"index\":2,\"parameters\":{\"rank\":4},\"state\":\"failed\",\"score\":null,\"seconds\":0.0,\"attempts\":1,"
                    + "\"curve\":[],\"error\":\"no luck\"}");

    @TempDir
    Path folder;

    @Test
    void a_changed_journal_is_read_or_refused_in_a_sentence_and_then_left_as_it_is() throws IOException {
        Random random = new Random(21);
        Path file = folder.resolve("journal.jsonl");
        int refused = 0;
        for (int i = 0; i < COUNT; i++) {
            byte[] bytes = mutated(random).getBytes(StandardCharsets.UTF_8);
            Files.write(file, bytes);
            try (Journal journal = Journal.open(file)) {
                journal.trials().forEach(JournalMutationTest::requireTrial);
            } catch (InvalidInputException e) {
                refused++;
                assertThat(e.getMessage())
                        .as(new String(bytes, StandardCharsets.UTF_8))
                        .contains("line ", file.toString(), "Restore the file")
                        .doesNotContain("\n", "Exception", "java.", "jackson", "enum")
                        .hasSizeLessThan(800);
                assertThat(file).hasBinaryContent(bytes);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("mutation " + i + ": " + new String(bytes, StandardCharsets.UTF_8), e);
            }
        }
        assertThat(refused).isBetween(COUNT / 3, COUNT - COUNT / 20);
    }

    private static String mutated(Random random) {
        List<String> lines = new ArrayList<>(LINES);
        int line = random.nextInt(lines.size());
        lines.set(line, JsonMutations.of(lines.get(line), random));
        if (random.nextInt(10) == 0) {
            lines.add(lines.get(random.nextInt(lines.size())));
        }
        return String.join("\n", lines) + (random.nextInt(10) == 0 ? "" : "\n");
    }

    private static void requireTrial(int index, TrialResult trial) {
        assertThat(trial.index()).isEqualTo(index).isNotNegative();
        assertThat(trial.attempts()).isNotNegative();
        assertThat(trial.seconds() >= 0).as("%s", trial).isTrue(); // -0.0 is
        assertThat(trial.parameters().values().values())
                .allMatch(value -> value instanceof Long || value instanceof Double || value instanceof String);
        assertThat(trial.state() == TrialState.COMPLETE)
                .as("%s", trial)
                .matches(complete -> !complete || Double.isFinite(trial.score()));
        assertThat(trial.curve().points()).allMatch(point -> point.step() >= 0 && Double.isFinite(point.value()));
    }
}
