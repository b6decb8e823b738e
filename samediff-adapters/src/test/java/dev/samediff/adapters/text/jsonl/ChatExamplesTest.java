package dev.samediff.adapters.text.jsonl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.batch.TokenSequence;
import dev.samediff.adapters.text.chat.ChatMessage;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.chat.Rendered;
import dev.samediff.adapters.text.chat.Span;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
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

    private static final List<ChatMessage> TALK = List.of(
            ChatMessage.user("q"), ChatMessage.assistant("r"), ChatMessage.user("s"), ChatMessage.assistant("t"));

    /** Tokens of some characters each; ';' ends a turn for it, too. */
    private record Chunks(int size) implements Tokenizer {
        @Override
        public int[] encode(String text) {
            int[] ids = new int[(text.length() + size - 1) / size];
            for (int i = 0; i < text.length(); i++) {
                ids[i / size] = ids[i / size] * 128 + text.charAt(i);
            }
            return ids;
        }

        @Override
        public String decode(int[] ids) {
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                text.append(id >= 128 ? "" + (char) (id / 128) : "").append((char) (id % 128));
            }
            return text.toString();
        }

        @Override
        public int padId() {
            return 0;
        }

        @Override
        public int eosId() {
            return ';';
        }

        @Override
        public int vocabularySize() {
            return 1 << 14;
        }

        @Override
        public String describe() {
            return "chunks of " + size;
        }
    }

    private static String learned(Tokenizer letters, TokenSequence sequence) {
        StringBuilder learned = new StringBuilder();
        for (int i = 0; i < sequence.length(); i++) {
            String token = letters.decode(new int[] {sequence.ids()[i]});
            learned.append(!sequence.labelled()[i] ? "" : token.isEmpty() ? "$" : token);
        }
        return learned.toString();
    }

    private static List<String> learned(Tokenizer letters, int longest, ChatTemplate template) {
        return ChatExamples.whole(List.of(TALK), template).stream()
                .flatMap(one -> SequenceEncoder.of(letters, longest).encode(one).stream())
                .map(one -> letters.decode(one.ids()) + " learns " + learned(letters, one))
                .toList();
    }

    @Test
    void a_conversation_is_one_text_of_which_every_answer_is_learned() {
        assertThat(ChatExamples.whole(List.of(TALK), SHORT))
                .containsExactly(
                        new MaskedText("u:q;\n\na:r;\n\nu:s;\n\na:t;\n\n", List.of(new Span(8, 10), new Span(20, 22))));
    }

    @Test
    void what_stands_behind_the_last_answer_is_left_out() {
        ChatTemplate strict =
                ChatTemplate.of("{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
                        + "{{ raise_exception('roles must alternate') }}{% endif %}{{ m.role[0] }}:{{ m.content }};{% endfor %}"
                        + "{% if add_generation_prompt %}a:{% endif %}");
        List<ChatMessage> talk = List.of(
                ChatMessage.user("q"), ChatMessage.assistant("r"), ChatMessage.user("s"), ChatMessage.user("t"));
        assertThat(ChatExamples.whole(List.of(talk), strict))
                .containsExactly(new MaskedText("u:q;a:r;", List.of(new Span(6, 8))));
    }

    @Test
    void what_a_template_marks_as_generated_is_what_is_learned() {
        ChatTemplate marked = ChatTemplate.of(
                "{% for m in messages %}{{ m.role[0] }}:{% if m.role == 'assistant' %}"
                        + "{% generation %}{{ m.content }};{% endgeneration %}{% else %}{{ m.content }};{% endif %}\n{% endfor %}");
        assertThat(ChatExamples.whole(List.of(TALK), marked))
                .containsExactly(new MaskedText("u:q;a:r;u:s;a:t;", List.of(new Span(6, 8), new Span(14, 16))));
    }

    @Test
    void marks_in_what_is_not_written_do_not_count() {
        ChatTemplate captured = ChatTemplate.of("{% macro f() %}{% generation %}x{% endgeneration %}{% endmacro %}"
                + "{% set c = f() %}{% generation %}{% endgeneration %}{% generation %}ab{% endgeneration %}{{ c }}");
        assertThat(captured.rendered(TALK, false)).isEqualTo(new Rendered("abx", List.of(new Span(0, 2))));
    }

    /** As Qwen 3, which leaves out of earlier answers what was thought. */
    @Test
    void answers_that_are_written_otherwise_once_others_follow_are_examples_of_their_own() {
        ChatTemplate forgetful = ChatTemplate.of(
                "{% for m in messages %}{{ m.role[0] }}:{% if m.role == 'assistant' and not"
                        + " loop.last %}-{% else %}{{ m.content }}{% endif %};{% endfor %}{% if add_generation_prompt %}a:{% endif %}");
        assertThat(ChatExamples.whole(List.of(TALK), forgetful))
                .containsExactly(new TextExample("u:q;a:", "r;"), new TextExample("u:q;a:-;u:s;a:", "t;"));
    }

    @Test
    void all_answers_of_a_conversation_are_learned_in_one_sequence() {
        assertThat(learned(new Chunks(1), 64, SHORT)).containsExactly("u:q;\n\na:r;\n\nu:s;\n\na:t; learns r;t;");
    }

    /** Otherwise the model would learn for the last answer only where to stop. */
    @Test
    void answers_that_do_not_end_with_an_end_token_are_learned_one_by_one_with_one() {
        assertThat(learned(CharTokenizer.ofText("aqrstu:;\n"), 64, SHORT))
                .containsExactly("u:q;\n\na:r; learns r;$", "u:q;\n\na:r;\n\nu:s;\n\na:t; learns t;$");
    }

    /** As the char_to_token of Hugging Face's assistant masks. */
    @Test
    void a_token_that_reaches_over_a_border_is_learned() {
        Tokenizer pairs = new Chunks(2);
        TokenSequence sequence = SequenceEncoder.of(pairs, 64)
                .withEos(false)
                .encode(new MaskedText("abcdefghi", List.of(new Span(3, 5), new Span(6, 8))))
                .get(0);
        assertThat(pairs.decode(sequence.ids())).isEqualTo("abcdefgh");
        assertThat(sequence.labelled()).containsExactly(false, true, true, true);
    }

    @Test
    void a_conversation_that_is_too_long_keeps_all_answers_in_several_sequences() {
        assertThat(learned(new Chunks(1), 12, SHORT))
                .containsExactly("u:q;\n\na:r; learns r;", ";\n\nu:s;\n\na:t; learns t;");
        assertThat(learned(new Chunks(1), 14, SHORT))
                .containsExactly("u:q;\n\na:r; learns r;", ":r;\n\nu:s;\n\na:t; learns t;");
    }

    @Test
    void an_answer_that_is_too_long_by_itself_is_dropped_or_cut() {
        MaskedText text = new MaskedText("abcdefgh;ij;", List.of(new Span(2, 9), new Span(10, 12)));
        SequenceEncoder encoder = SequenceEncoder.of(new Chunks(1), 4);
        assertThat(encoder.encode(text)).hasSize(1);
        assertThat(learned(new Chunks(1), encoder.encode(text).get(0))).isEqualTo("j;");
        assertThat(encoder.withLongResponses(SequenceEncoder.LongResponses.CUT).encode(text).stream()
                        .map(one -> learned(new Chunks(1), one)))
                .containsExactly("cdef", "j;");
    }
}
