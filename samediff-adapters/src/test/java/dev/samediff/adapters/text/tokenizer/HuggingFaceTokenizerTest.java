package dev.samediff.adapters.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public class HuggingFaceTokenizerTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    private Path words() throws IOException {
        try (var in = HuggingFaceTokenizerTest.class.getResourceAsStream("words-tokenizer.json")) {
            Path file = folder.resolve("tokenizer.json");
            Files.write(file, in.readAllBytes());
            return file;
        }
    }

    @Test
    void encoding_adds_nothing_and_ignores_the_truncation_and_padding_of_the_file() throws IOException {
        try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(words())) {
            assertThat(tokenizer.encode("The cat sat on the mat")).containsExactly(4, 5, 6, 7, 4, 8);
            assertThat(tokenizer.encode("the dog")).containsExactly(4, 0);
            assertThat(tokenizer.encode("")).isEmpty();
        }
    }

    @Test
    void texts_longer_than_any_default_limit_are_not_cut() throws IOException {
        try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(words())) {
            assertThat(tokenizer.encode("cat ".repeat(5000))).hasSize(5000);
        }
    }

    @Test
    void the_frame_of_pretraining_is_added_on_request() throws IOException {
        try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(words())) {
            assertThat(tokenizer.encodeFramed("the cat")).containsExactly(2, 4, 5, 3);
        }
    }

    @Test
    void decoding_leaves_special_tokens_out() throws IOException {
        try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(words())) {
            assertThat(tokenizer.decode(new int[] {2, 4, 5, 3, 1})).isEqualTo("the cat");
        }
    }

    @Test
    void special_tokens_are_found_by_usual_names_and_the_size_counts_added_tokens() throws IOException {
        try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(words())) {
            assertThat(tokenizer.padId()).isEqualTo(1);
            assertThat(tokenizer.eosId()).isEqualTo(3);
            assertThat(tokenizer.bosId()).hasValue(2);
            assertThat(tokenizer.unknownId()).hasValue(0);
            assertThat(tokenizer.vocabularySize()).isEqualTo(10);
            assertThat(tokenizer.describe()).isEqualTo("Hugging Face WordLevel, 10 tokens, pad 1, eos 3, bos 2");
        }
    }

    @Test
    void the_tokenizer_config_beside_it_decides_before_usual_names() throws IOException {
        Path file = words();
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"eos_token\": {\"content\": \"<extra>\"}, \"pad_token\": null}");
        try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(file)) {
            assertThat(tokenizer.eosId()).isEqualTo(9);
            assertThat(tokenizer.padId()).isEqualTo(1);
        }
    }

    @Test
    void given_tokens_decide_before_everything_and_must_exist() throws IOException {
        Path file = words();
        try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(file, SpecialTokens.eos("mat"))) {
            assertThat(tokenizer.eosId()).isEqualTo(8);
        }
        assertThatThrownBy(() -> HuggingFaceTokenizer.load(file, SpecialTokens.eos("</s>")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no token `</s>`, which was given as the end token")
                .hasMessageContaining("<extra>, [CLS], [PAD], [SEP], [UNK]");
    }

    @Test
    void without_an_end_token_the_message_lists_what_exists() throws IOException {
        Path file = words();
        Files.writeString(file, Files.readString(file).replace("[SEP]", "[END]"));
        assertThatThrownBy(() -> HuggingFaceTokenizer.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no end token found")
                .hasMessageContaining("[END]");
    }

    @Test
    void without_a_padding_token_the_end_token_pads() throws IOException {
        Path file = words();
        Files.writeString(
                file,
                Files.readString(file)
                        .replaceAll("\"padding\": \\{.*\\},\n", "\"padding\": null,\n")
                        .replace("[PAD]", "[FILL]"));
        try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(file)) {
            assertThat(tokenizer.padId()).isEqualTo(tokenizer.eosId());
        }
    }

    @Test
    void loading_leaves_the_offline_property_as_it_was() throws IOException {
        String before = System.getProperty("ai.djl.offline");
        System.clearProperty("ai.djl.offline");
        try {
            HuggingFaceTokenizer.load(words()).close();
            assertThat(System.getProperty("ai.djl.offline")).isNull();
        } finally {
            if (before != null) {
                System.setProperty("ai.djl.offline", before);
            }
        }
    }

    @Test
    void a_file_or_a_folder_is_recognised_by_its_content() throws IOException {
        Path file = words();
        assertThat(Tokenizers.load(file)).isInstanceOf(HuggingFaceTokenizer.class);
        assertThat(Tokenizers.load(folder)).isInstanceOf(HuggingFaceTokenizer.class);
    }

    @Test
    void what_is_no_tokenizer_is_refused_with_what_was_expected() throws IOException {
        Path missing = folder.resolve("nothing.json");
        assertThatThrownBy(() -> Tokenizers.load(missing))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("nothing.json does not exist; expected a tokenizer.json");
        assertThatThrownBy(() -> Tokenizers.load(folder)).hasMessageContaining("has no tokenizer.json");
        Path text = Files.writeString(folder.resolve("vocab.txt"), "[PAD]\nthe\n");
        Path pieces = Files.writeString(folder.resolve("tokenizer.model"), "\n\0\1<unk>");
        assertThatThrownBy(() -> Tokenizers.load(pieces))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("is not JSON");
        assertThatThrownBy(() -> Tokenizers.load(text))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("vocab.txt holds no JSON object")
                .hasMessageContaining("save_pretrained");
        Path other = Files.writeString(folder.resolve("config.json"), "{\"hidden_size\": 3}");
        assertThatThrownBy(() -> Tokenizers.load(other)).hasMessageContaining("with the keys [hidden_size]");
        Path broken = Files.writeString(
                folder.resolve("broken.json"), "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"</s>\": 0}}}");
        assertThatThrownBy(() -> Tokenizers.load(broken))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("broken.json is not a tokenizer.json the tokenizers library");
    }

    @Test
    void the_tokenizer_of_a_real_bert_is_read() {
        Path file =
                Path.of(System.getProperty("shared.dir", "../../shared"), "models/tinybert/tinybert-tokenizer.json");
        assumeTrue(Files.isRegularFile(file), "needs " + file);
        try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(file)) {
            assertThat(tokenizer.padId()).isEqualTo(2);
            assertThat(tokenizer.eosId()).isEqualTo(1);
            int[] plain = tokenizer.encode("This is a test.");
            int[] framed = tokenizer.encodeFramed("This is a test.");
            assertThat(framed).hasSize(plain.length + 2).startsWith(3).endsWith(1);
            assertThat(tokenizer.decode(framed)).isEqualTo(tokenizer.decode(plain));
        }
    }
}
