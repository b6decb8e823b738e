package dev.samediff.adapters.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CharTokenizerTest {
    private static final String VOCABULARY =
            "{\"type\":\"char\",\"pad\":0,\"eos\":1,\"unk\":2,\"tokens\":[\"<pad>\",\"<eos>\",\"<unk>\",\"\\n\",\" \",\"a\",\"ä\",\"😀\"]}";

    private static CharTokenizer load(String json) throws IOException {
        return CharTokenizer.load(new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void ids_are_positions_in_the_vocabulary_and_characters_are_code_points() throws IOException {
        CharTokenizer tokenizer = load(VOCABULARY);
        assertThat(tokenizer.encode("a ä\n😀")).containsExactly(5, 4, 6, 3, 7);
        assertThat(tokenizer.decode(new int[] {5, 4, 6, 3, 7})).isEqualTo("a ä\n😀");
        assertThat(tokenizer.encode("")).isEmpty();
        assertThat(tokenizer.vocabularySize()).isEqualTo(8);
        assertThat(tokenizer.describe()).isEqualTo("characters, 8 tokens, pad 0, eos 1, unk 2");
    }

    @Test
    void unknown_characters_become_unk_and_can_be_listed() throws IOException {
        CharTokenizer tokenizer = load(VOCABULARY);
        assertThat(tokenizer.encode("ax𝄞a")).containsExactly(5, 2, 2, 5);
        assertThat(tokenizer.unknownCharacters("axx𝄞a<")).containsExactly("x", "𝄞", "<");
        assertThat(tokenizer.decode(new int[] {5, 2, 5})).isEqualTo("a\uFFFDa");
    }

    @Test
    void special_tokens_leave_no_trace_in_the_text() throws IOException {
        assertThat(load(VOCABULARY).decode(new int[] {0, 5, 1, 0})).isEqualTo("a");
    }

    @Test
    void text_that_spells_a_special_token_stays_text() {
        CharTokenizer tokenizer = CharTokenizer.ofText("<eos>");
        assertThat(tokenizer.encode("<eos>")).hasSize(5).doesNotContain(tokenizer.eosId());
    }

    @Test
    void a_vocabulary_of_a_text_survives_writing_and_reading(@TempDir Path folder) throws IOException {
        CharTokenizer made = CharTokenizer.ofText("hello\n\"wörld\" 😀");
        Path file = Files.writeString(folder.resolve("vocabulary.json"), made.toJson());
        Tokenizer read = Tokenizers.load(file);
        assertThat(read).isInstanceOf(CharTokenizer.class);
        assertThat(read.encode("hello 😀\n")).isEqualTo(made.encode("hello 😀\n"));
        assertThat(read.decode(read.encode("\"wörld\""))).isEqualTo("\"wörld\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '^',
            value = {
                "\"eos\":1;\"eos\":8;\"eos\" is 8, expected the index of a token, 0 to 7",
                "\"eos\":1;\"eos\":\"1\";\"eos\" is \"1\"",
                "\"unk\":2,;;\"unk\" is missing",
                "\"a\";\" \";token \" \" stands at index 4 and again at index 5",
                "\"a\";\"ab\";token 5 is \"ab\", expected one character",
                "\"a\";7;token 5 is 7, expected a string",
                "\"char\";\"word\";\"type\" is \"word\", expected \"char\"",
            })
    void a_broken_vocabulary_is_refused_with_the_value(String part, String replacement, String message) {
        String json = VOCABULARY.replace(part, replacement == null ? "" : replacement);
        assertThatThrownBy(() -> load(json))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(message);
    }

    @Test
    void an_id_outside_the_vocabulary_is_refused() throws IOException {
        CharTokenizer tokenizer = load(VOCABULARY);
        assertThatThrownBy(() -> tokenizer.decode(new int[] {8}))
                .hasMessage("token id 8 is outside the vocabulary, 0 to 7");
    }
}
