package dev.samediff.tuning.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.space.ParameterValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JournalTest {
    @TempDir
    Path folder;

    private Path file() {
        return folder.resolve("sweep/journal.jsonl");
    }

    @Test
    void every_state_survives_closing_and_opening() {
        List<TrialResult> trials = List.of(trial(0), pruned(1), TrialResult.notRun(2, parameters(), "a \"reason\"\n"));
        try (Journal journal = Journal.open(file())) {
            trials.forEach(journal::append);
        }
        try (Journal journal = Journal.open(file())) {
            assertThat(journal.trials().values()).containsExactlyElementsOf(trials);
        }
    }

    @Test
    void an_incomplete_last_line_is_cut_off_wherever_it_ends() throws IOException {
        byte[] whole = written();
        int second = new String(whole).indexOf('\n') + 1;
        for (int length = second; length < whole.length; length++) {
            Files.write(file(), Arrays.copyOf(whole, length));
            try (Journal journal = Journal.open(file())) {
                assertThat(journal.trials()).containsOnlyKeys(0);
                journal.append(pruned(1));
            }
            assertThat(Files.readAllBytes(file())).isEqualTo(whole);
        }
    }

    @Test
    void a_last_line_of_garbage_is_cut_off() throws IOException {
        byte[] whole = written();
        Files.write(file(), (new String(whole) + "\0\0\0\0\n").getBytes());
        try (Journal journal = Journal.open(file())) {
            assertThat(journal.trials()).containsOnlyKeys(0, 1);
        }
        assertThat(Files.readAllBytes(file())).isEqualTo(whole);
    }

    @Test
    void another_broken_line_is_an_error_and_the_file_stays() throws IOException {
        String whole = new String(written());
        Files.writeString(file(), "garbage\n" + whole);
        assertThatThrownBy(() -> Journal.open(file()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("line 1")
                .hasMessageContaining("delete this line");
        assertThat(file()).hasContent("garbage\n" + whole);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "\"index\":1        | \"index\":-1             | `index` is -1; expected a whole number, 0 or more",
                "\"index\":1        | \"index\":null           | `index` is null; expected a whole number",
                "\"index\":1        | \"index\":1,\"index\":1   | Duplicate field 'index'",
                "\"index\":1        | \"index\":0              | line 1 has the trial 0 already",
                "\"pruned\"         | \"lost\"                 | `state` is \"lost\"; expected one of complete, pruned, failed",
                "\"pruned\"         | null                     | `state` is null; expected a text",
                "\"pruned\"         | \"failed\"               | expected null, as the trial failed",
                "\"score\":         | \"score\":\"a\",\"x\":     | `score` is \"a\"; expected a finite number",
                "\"seconds\":0.7    | \"seconds\":-1           | `seconds` is -1; expected a number, 0 or more",
                "\"attempts\":2     | \"attempts\":-2          | `attempts` is -2; expected a whole number, 0 or more",
                "\"attempts\":2     | \"attempts\":2.5         | `attempts` is 2.5; expected a whole number",
                "\"attempts\":2     | \"tries\":2              | `attempts` is missing; expected a whole number",
                "[20,               | [10,                     | `curve[1][0]` is 10; expected a later step than 10",
                "[20,               | [null,                   | `curve[1][0]` is null; expected a whole number, 0 or more",
                "[20,               | [20,1,                   | expected [step, value]",
                "\"rank\":8         | \"rank\":null            | `parameters.rank` is null; expected a number or a text"
            })
    void a_line_that_is_whole_but_no_trial_is_an_error_also_at_the_end(String old, String changed, String reason)
            throws IOException {
        String[] lines = new String(written()).split("\n");
        String broken = lines[1].replace(old.strip(), changed.strip());
        assertThat(broken).isNotEqualTo(lines[1]);
        String whole = lines[0] + "\n" + broken + "\n";
        Files.writeString(file(), whole);
        assertThatThrownBy(() -> Journal.open(file()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("line 2 of the journal " + file())
                .hasMessageContaining(reason.strip());
        assertThat(file()).hasContent(whole);
    }

    @Test
    void a_complete_trial_without_a_score_is_none() throws IOException {
        String whole = new String(written()).replace("\"score\":0.25", "\"score\":null");
        Files.writeString(file(), whole);
        assertThatThrownBy(() -> Journal.open(file()))
                .hasMessageContaining("line 1")
                .hasMessageContaining("`score` is null; expected a finite number, as the trial is complete");
    }

    @Test
    void text_that_is_not_utf_8_is_an_error() throws IOException {
        byte[] whole = written();
        whole[new String(whole).indexOf("a,b")] = (byte) 0xff;
        Files.write(file(), whole);
        assertThatThrownBy(() -> Journal.open(file())).hasMessageContaining("it is not text in UTF-8");
    }

    @Test
    void a_journal_in_use_is_refused() {
        try (Journal first = Journal.open(file())) {
            assertThat(first.trials()).isEmpty();
            assertThatThrownBy(() -> Journal.open(file()))
                    .hasMessageContainingAll(
                            "in use by another sweep",
                            "process " + ProcessHandle.current().pid());
        }
    }

    @Test
    void the_table_quotes_what_needs_it_and_leaves_absent_parameters_empty() {
        TrialResult failed = TrialResult.notRun(1, new ParameterValues(Map.of("x", 1.5)), "no \"luck\", sorry");
        assertThat(TrialsCsv.text(List.of(trial(0), failed)))
                .isEqualTo("index,state,score,seconds,attempts,last_step,rank,targets,x,error\r\n"
                        + "0,complete,0.25,1.5,1,20,8,\"a,b\",,\r\n"
                        + "1,failed,,0.0,0,,,,1.5,\"no \"\"luck\"\", sorry\"\r\n");
    }

    private byte[] written() throws IOException {
        try (Journal journal = Journal.open(file())) {
            journal.append(trial(0));
            journal.append(pruned(1));
        }
        return Files.readAllBytes(file());
    }

    private static ParameterValues parameters() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("rank", 8L);
        values.put("targets", "a,b");
        return new ParameterValues(values);
    }

    private static TrialResult trial(int index) {
        return new TrialResult(index, parameters(), TrialState.COMPLETE, 0.25, 1.5, 1, curve(), "");
    }

    private static TrialResult pruned(int index) {
        return new TrialResult(index, parameters(), TrialState.PRUNED, 1.0 / 3, 0.7, 2, curve(), "");
    }

    private static LearningCurve curve() {
        return new LearningCurve(List.of(new LearningCurve.Point(10, 0.1 + 0.2), new LearningCurve.Point(20, 0.25)));
    }
}
