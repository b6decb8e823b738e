package dev.samediff.adapters.text.jsonl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.PromptTemplate;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonlExamplesTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("data.jsonl"), text);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '^',
            value = {
                "{\"prompt\":\"p\",\"response\":\"r\"};p;r",
                "{\"prompt\":\"p\",\"completion\":\"r\",\"text\":\"t\"};p;r",
                "{\"instruction\":\"p\",\"input\":\"i\",\"output\":\"r\"};p\\ni;r",
                "{\"instruction\":\"p\",\"input\":\"\",\"output\":\"r\"};p;r",
                "{\"instruction\":\"p\",\"input\":null,\"output\":\"r\"};p;r",
                "{\"instruction\":\"p\",\"context\":\"i\",\"response\":\"r\",\"category\":[1,{}]};p\\ni;r",
                "{\"question\":\"p\",\"answer\":\"r\"};p;r",
                "{\"query\":\"p\",\"response\":\"r\"};p;r",
            })
    void usual_keys_are_recognised(String line, String prompt, String response) throws IOException {
        assertThat(JsonlExamples.read(file(line)))
                .containsExactly(new TextExample(prompt.replace("\\n", "\n"), response));
    }

    @Test
    void plain_text_is_an_example_without_a_prompt() throws IOException {
        assertThat(JsonlExamples.read(file("{\"text\":\"t\"}"))).containsExactly(TextExample.text("t"));
    }

    @Test
    void given_keys_are_read() throws IOException {
        assertThat(JsonlExamples.read(file("{\"q\":\"p\",\"a\":\"r\"}"), JsonlLayout.pair("q", "a")))
                .containsExactly(new TextExample("p", "r"));
    }

    @Test
    void a_byte_order_mark_crlf_blank_lines_and_a_missing_last_line_end_are_tolerated() throws IOException {
        Path file = file("\uFEFF{\"text\":\"ä😀\"}\r\n\r\n  \n{\"text\":\"b\"}");
        assertThat(JsonlExamples.read(file)).containsExactly(TextExample.text("ä😀"), TextExample.text("b"));
    }

    @Test
    void lines_longer_than_any_buffer_are_read() throws IOException {
        String text = "xyz😀".repeat(100_000);
        Path file = file("{\"text\":\"" + text + "\"}\n{\"text\":\"b\"}\n");
        assertThat(JsonlExamples.read(file)).containsExactly(TextExample.text(text), TextExample.text("b"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '^',
            value = {
                "{\"prompt\":\"p\";is not one JSON object (it ends before it is complete",
                "{\"prompt\":\"p\",\"response\":\"r\"} x;is not one JSON object (",
                "{\"prompt\":\"p\",\"response\":\"r\"}{};is not one JSON object (",
                "{\"prompt\":\"p\",\"prompt\":\"q\",\"response\":\"r\"};Duplicate field 'prompt'",
                "{\"prompt\":\"p\",\"response\":3};`response` is number, expected a string",
                "{\"prompt\":null,\"response\":\"r\"};`prompt` is null, expected a string",
                "{\"prompt\":\"p\",\"response\":\"\"};`response` is empty",
                "{\"prompt\":\"\",\"response\":\"r\"};`prompt` is empty; plain text goes under the key `text`",
                "{\"prompt\":\"p\",\"answer\":\"r\"};has no key `response`; its keys are [answer, prompt]",
                "{\"prompt\":\"p\",\"response\":\"r\",\"x\":NaN};(`NaN` is no value of JSON at column",
                "[1];is a JSON array, expected an object",
                "\"s\";is a JSON string, expected an object",
            })
    void a_broken_line_is_refused_with_file_line_reason_and_excerpt(String line, String reason) throws IOException {
        Path file = file("{\"prompt\":\"p\",\"response\":\"r\"}\n\n" + line + "\n");
        assertThatThrownBy(() -> JsonlExamples.read(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("data.jsonl, line 3: ")
                .hasMessageContaining(reason)
                .hasMessageContaining(" | " + line.substring(0, Math.min(10, line.length())));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '^',
            value = {
                "{\"messages\":[]};is a conversation, which needs a chat template",
                "{\"a\":1,\"b\":2};has the keys [a, b], none of the known pairs (prompt/response, ",
            })
    void an_unknown_layout_is_refused_with_what_is_known(String line, String reason) throws IOException {
        Path file = file(line);
        assertThatThrownBy(() -> JsonlExamples.read(file)).hasMessageContaining(reason);
    }

    @Test
    void bytes_that_are_not_utf8_are_refused_with_their_place() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes("{\"text\":\"a\"}\n{\"text\":\"b".getBytes(StandardCharsets.UTF_8));
        bytes.write(0xE4); // ä in Latin-1
        bytes.writeBytes("\"}\n{\"text\":\"c\"}".getBytes(StandardCharsets.UTF_8));
        Path file = Files.write(folder.resolve("latin.jsonl"), bytes.toByteArray());
        assertThatThrownBy(() -> JsonlExamples.read(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("latin.jsonl, line 2: is not UTF-8 at byte 11");
        List<TextExample> examples = new ArrayList<>();
        JsonlReport report = JsonlExamples.read(file, Optional.empty(), BrokenLines.SKIP, examples::add);
        assertThat(examples).containsExactly(TextExample.text("a"), TextExample.text("c"));
        assertThat(report.skipped()).isEqualTo(1);
    }

    @Test
    void a_replacement_character_that_is_really_there_is_text() throws IOException {
        assertThat(JsonlExamples.read(file("{\"text\":\"\uFFFD\"}"))).containsExactly(TextExample.text("\uFFFD"));
    }

    @Test
    void a_gzip_file_is_recognised() throws IOException {
        Path file = Files.write(folder.resolve("a.jsonl"), new byte[] {0x1F, (byte) 0x8B, 8, 0, 1});
        assertThatThrownBy(() -> JsonlExamples.read(file)).hasMessageContaining("gzip-compressed: unpack it first");
    }

    @Test
    void broken_lines_can_be_skipped_and_are_reported() throws IOException {
        Path file = file("{\"text\":\"a\"}\n{\n{\"text\":1}\n{\"text\":\"b\"}\n");
        List<TextExample> examples = new ArrayList<>();
        JsonlReport report = JsonlExamples.read(file, Optional.empty(), BrokenLines.SKIP, examples::add);
        assertThat(examples).hasSize(2);
        assertThat(report.lines()).isEqualTo(4);
        assertThat(report.examples()).isEqualTo(2);
        assertThat(report.skipped()).isEqualTo(2);
        assertThat(report.problems()).hasSize(2);
        assertThat(report.summary()).contains("2 broken lines left out, the first: ", "line 2: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n \n", "\uFEFF"})
    void an_empty_file_is_refused(String text) throws IOException {
        Path file = file(text);
        assertThatThrownBy(() -> JsonlExamples.read(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("holds no example: it is empty");
    }

    @Test
    void a_file_of_broken_lines_only_is_refused_even_when_skipping() throws IOException {
        Path file = file("{\n{\n");
        assertThatThrownBy(() -> JsonlExamples.read(file, Optional.empty(), BrokenLines.SKIP, e -> {}))
                .hasMessageContaining("all 2 lines are broken, the first: ");
    }

    @Test
    void a_missing_file_is_refused() {
        assertThatThrownBy(() -> JsonlExamples.read(folder.resolve("no.jsonl")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no.jsonl does not exist; expected a JSONL file");
    }

    @Test
    void a_template_goes_around_prompts_but_not_around_plain_text() {
        PromptTemplate template = new PromptTemplate("Q: {prompt}\nA: ");
        assertThat(template.apply(new TextExample("why", "so"))).isEqualTo(new TextExample("Q: why\nA: ", "so"));
        assertThat(template.apply(TextExample.text("t"))).isEqualTo(TextExample.text("t"));
        assertThatThrownBy(() -> new PromptTemplate("Q:")).hasMessageContaining("{prompt} exactly once");
    }

    @Test
    void the_real_gsm8k_is_read() {
        Path file = Path.of(System.getProperty("shared.dir", "../../shared"), "data/gsm8k/train.jsonl");
        assumeTrue(Files.isRegularFile(file), "needs " + file);
        List<TextExample> examples = JsonlExamples.read(file);
        assertThat(examples).hasSize(7473);
        assertThat(examples.get(0).response()).endsWith("#### 72");
    }
}
