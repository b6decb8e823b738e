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

    @Test
    void a_journal_in_use_is_refused() {
        try (Journal first = Journal.open(file())) {
            assertThat(first.trials()).isEmpty();
            assertThatThrownBy(() -> Journal.open(file())).hasMessageContaining("in use by another sweep");
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
