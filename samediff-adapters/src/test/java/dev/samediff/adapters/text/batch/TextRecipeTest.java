package dev.samediff.adapters.text.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.tokenizer.Framing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextRecipeTest {
    private static final TextRecipe FULL = TextRecipe.of(
                    Framing.plain(2).withBefore(List.of(new Framing.Mark(1, "<s>")), "a test"),
                    Optional.of(new PromptTemplate("Q: {prompt}\nA: ")))
            .withChat(ChatTemplate.of("{{ bos_token }}x").withTokens(Map.of("bos_token", "<s>")));

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    @Test
    void what_is_written_is_read() throws IOException {
        Files.writeString(folder.resolve(TextRecipe.FILE), FULL.toJson());
        assertThat(TextRecipe.read(folder)).hasValue(FULL);
        TextRecipe nothing = TextRecipe.of(Framing.plain(2), Optional.empty());
        Files.writeString(folder.resolve(TextRecipe.FILE), nothing.toJson());
        assertThat(TextRecipe.read(folder)).hasValue(nothing);
    }

    @Test
    void adapters_of_others_have_none() {
        assertThat(TextRecipe.read(folder)).isEmpty();
    }

    @Test
    void it_decides_what_is_in_front_of_texts_and_leaves_the_ends() {
        Framing framing = FULL.applyTo(Framing.plain(7));
        assertThat(framing.beforeIds()).containsExactly(1);
        assertThat(framing.ends()).containsExactly(7);
        assertThat(framing.sentence()).contains("`<s>`", "as the adapter was trained");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "[] ~ no JSON object",
                "{ ~ not JSON",
                "{\"format\": 2, \"before\": []} ~ \"format\" is 2; expected 1",
                "{\"format\": 1} ~ \"before\" is",
                "{\"format\": 1, \"before\": [{\"id\": -1, \"token\": \"a\"}]} ~ \"before\" is {\"id\":-1",
                "{\"format\": 1, \"before\": [{\"id\": 4294967297, \"token\": \"a\"}]} ~ \"before\" is",
                "{\"format\": 1, \"before\": [{\"id\": 1}]} ~ \"before\" is",
                "{\"format\": 1, \"before\": [], \"template\": 7} ~ \"template\" is 7; expected a string",
                "{\"format\": 1, \"before\": [], \"template\": \"none\"} ~ must hold {prompt} exactly once",
                "{\"format\": 1, \"before\": [], \"chat\": null} ~ \"chat\" is null",
                "{\"format\": 1, \"before\": [], \"chat\": {\"template\": 1}} ~ \"template\" is 1",
                "{\"format\": 1, \"before\": [], \"chat\": {\"template\": \"\", \"tokens\": {\"a\": 1}}} ~ tokens that are strings",
            })
    void a_damaged_one_is_refused(String json, String words) throws IOException {
        Files.writeString(folder.resolve(TextRecipe.FILE), json.strip());
        assertThatThrownBy(() -> TextRecipe.read(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(words.strip());
    }

    @Test
    void one_of_another_tokenizer_is_refused_by_the_encoder() {
        TextRecipe other = new TextRecipe(List.of(new Framing.Mark(500, "<s>")), Optional.empty(), Optional.empty());
        Letters letters = new Letters();
        SequenceEncoder encoder = SequenceEncoder.of(letters, 8);
        assertThatThrownBy(() -> encoder.withFraming(other.applyTo(letters.framing())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`<s>` (id 500)")
                .hasMessageContaining("none of the tokenizer (letters)");
    }
}
