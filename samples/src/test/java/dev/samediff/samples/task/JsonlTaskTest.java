package dev.samediff.samples.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.PromptTemplate;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.jsonl.Learnable;
import dev.samediff.adapters.text.jsonl.TextExample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonlTaskTest {
    private static final Supplier<ChatTemplate> NO_CHAT = () -> {
        throw new AssertionError("no conversations here");
    };

    @TempDir
    private Path folder;

    private static List<TextExample> examples(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new TextExample("p" + i, "r" + i))
                .toList();
    }

    private Path lines(int count) throws IOException {
        Path file = folder.resolve("train.jsonl");
        StringBuilder text = new StringBuilder();
        examples(count)
                .forEach(example -> text.append(
                        "{\"prompt\": \"" + example.prompt() + "\", \"response\": \"" + example.response() + "\"}\n"));
        return Files.writeString(file, text);
    }

    private static Task read(Path train, Optional<Path> evaluation) {
        return JsonlTask.read(
                train, evaluation.stream().toList(), Optional.empty(), NO_CHAT, ExactMatch.wholeResponse());
    }

    private static List<Learnable> learned(Task task) {
        List<Learnable> learned = new ArrayList<>();
        task.train().read(learned::add);
        return learned;
    }

    @Test
    void every_twentieth_line_is_held_out_each_time_the_file_is_read() throws IOException {
        Task task = read(lines(45), Optional.empty());
        assertThat(task.target().examples())
                .containsExactly(examples(45).get(19), examples(45).get(39));
        List<TextExample> others = new ArrayList<>(examples(45));
        others.removeAll(task.target().examples());
        assertThat(learned(task)).isEqualTo(others);
        assertThat(learned(task)).isEqualTo(others);
        assertThat(task.description()).isEqualTo("train.jsonl: 43 examples, 2 to evaluate");
    }

    @Test
    void a_table_is_what_its_lines_as_json_are() throws IOException {
        Path table = folder.resolve("train.csv");
        StringBuilder text = new StringBuilder("prompt,note,response\n");
        examples(45).forEach(example -> text.append(example.prompt() + ",\"a, b\"," + example.response() + "\n"));
        Files.writeString(table, text);
        Task task = read(table, Optional.empty());
        assertThat(learned(task)).isEqualTo(learned(read(lines(45), Optional.empty())));
        assertThat(learned(read(table, Optional.of(lines(3))))).isEqualTo(examples(45));
        assertThat(read(table, Optional.of(lines(3))).target().examples()).isEqualTo(examples(3));
    }

    @Test
    void words_around_prompts_are_put_around_all_of_them() throws IOException {
        Task task = JsonlTask.read(
                lines(2),
                List.of(),
                Optional.of(new PromptTemplate("Q: {prompt}")),
                NO_CHAT,
                ExactMatch.wholeResponse());
        assertThat(learned(task)).containsExactly(new TextExample("Q: p0", "r0"));
        assertThat(task.target().examples()).containsExactly(new TextExample("Q: p1", "r1"));
    }

    @Test
    void a_file_that_was_changed_between_two_readings_is_refused_and_told_afterwards() throws IOException {
        Path file = lines(45);
        Task task = read(file, Optional.empty());
        assertThat(task.train().change()).isEmpty();
        lines(44);
        assertThat(task.train().change())
                .hasValueSatisfying(what ->
                        assertThat(what).startsWith(file + " was changed (").contains(" bytes of "));
        assertThatThrownBy(() -> learned(task))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("while it was being read; leave it as it is");
        Files.delete(file);
        assertThat(task.train().change()).contains(file + " is no longer there");
    }
}
