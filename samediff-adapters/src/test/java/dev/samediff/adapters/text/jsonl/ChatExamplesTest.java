package dev.samediff.adapters.text.jsonl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.batch.TokenSequence;
import dev.samediff.adapters.text.chat.ChatMessage;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatExamplesTest {
    /** {@code u:..;} and {@code a:..;}, with a line break behind each turn. */
    private static final ChatTemplate SHORT = ChatTemplate.of(
            "{% for m in messages %}{{ m.role[0] }}:{{ m.content }};\n\n{% endfor %}{% if add_generation_prompt %}a:{% endif %}");

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    private Path file(String lines) throws IOException {
        return Files.writeString(folder.resolve("chat.jsonl"), lines);
    }

    @Test
    void conversations_are_read_in_both_forms() throws IOException {
        Path file = file(
                "{\"messages\": [{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\": [{\"type\":"
                        + " \"text\", \"text\": \"a\"}, {\"type\": \"text\", \"text\": \"b\"}]}, {\"role\": \"assistant\", \"content\": \"c\"}],"
                        + " \"id\": 7}\n{\"conversations\": [{\"from\": \"human\", \"value\": \"x\"}, {\"from\": \"gpt\", \"value\": \"y\"}]}\n");
        assertThat(ChatRows.areIn(file)).isTrue();
        assertThat(ChatRows.read(file))
                .containsExactly(
                        List.of(ChatMessage.system("s"), ChatMessage.user("ab"), ChatMessage.assistant("c")),
                        List.of(ChatMessage.user("x"), ChatMessage.assistant("y")));
    }

    @Test
    void other_files_hold_no_conversations() throws IOException {
        assertThat(ChatRows.areIn(file("{\"text\": \"a\"}\n{\"messages\": []}\n")))
                .isFalse();
        assertThatThrownBy(() -> ChatRows.areIn(folder.resolve("nothing.jsonl")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("does not exist");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "{\"messages\": []} ~ `messages` is [], expected a list",
                "{\"messages\": \"a\"} ~ expected a list",
                "{\"messages\": [7]} ~ a turn is 7",
                "{\"messages\": [{\"content\": \"a\"}]} ~ has no `role` or `from`",
                "{\"messages\": [{\"role\": 7, \"content\": \"a\"}]} ~ `role` is number",
                "{\"messages\": [{\"role\": \"user\", \"content\": null}]} ~ `content` is null",
                "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image\"}]}]} ~ only text can be learned",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]} ~ no turn of the assistant",
                "{\"text\": \"a\"} ~ has no `messages` or `conversations`",
            })
    void what_is_no_conversation_is_refused_with_its_line(String json, String words) throws IOException {
        Path file = file("\n" + json.strip() + "\n");
        assertThatThrownBy(() -> ChatRows.read(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("line 2")
                .hasMessageContaining(words.strip());
    }

    @Test
    void every_answer_is_an_example_with_all_before_it() {
        List<List<ChatMessage>> conversations = List.of(
                List.of(
                        ChatMessage.user("q"),
                        ChatMessage.assistant("r"),
                        ChatMessage.user("s"),
                        ChatMessage.assistant("t")),
                List.of(ChatMessage.assistant("first"), ChatMessage.user("u")));
        assertThat(ChatExamples.of(conversations, SHORT))
                .containsExactly(
                        new TextExample("u:q;\n\na:", "r;"),
                        new TextExample("u:q;\n\na:r;\n\nu:s;\n\na:", "t;"),
                        new TextExample("a:", "first;"));
    }

    @Test
    void only_answers_and_their_ends_are_learned() {
        CharTokenizer letters = CharTokenizer.ofText("aqrstu:;\n");
        List<TextExample> examples = ChatExamples.of(
                List.of(List.of(
                        ChatMessage.user("q"),
                        ChatMessage.assistant("r"),
                        ChatMessage.user("s"),
                        ChatMessage.assistant("t"))),
                SHORT);
        TokenSequence second =
                SequenceEncoder.of(letters, 64).encode(examples.get(1)).get(0);
        StringBuilder learned = new StringBuilder();
        for (int i = 0; i < second.length(); i++) {
            learned.append(second.labelled()[i] ? letters.decode(new int[] {second.ids()[i]}) : "");
        }
        assertThat(learned).hasToString("t;");
        assertThat(second.labels()).as("the end token too").isEqualTo(3);
    }

    @Test
    void a_template_that_opens_answers_otherwise_than_it_writes_them_is_refused() {
        ChatTemplate other = ChatTemplate.of(
                "{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}now:{% endif %}");
        assertThatThrownBy(() ->
                        ChatExamples.of(List.of(List.of(ChatMessage.user("a"), ChatMessage.assistant("b"))), other))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("conversation 0: the chat template opens an answer with other text");
        ChatTemplate nothing = ChatTemplate.of("x");
        assertThatThrownBy(() ->
                        ChatExamples.of(List.of(List.of(ChatMessage.user("a"), ChatMessage.assistant("b"))), nothing))
                .hasMessageContaining("writes nothing of an answer");
    }
}
