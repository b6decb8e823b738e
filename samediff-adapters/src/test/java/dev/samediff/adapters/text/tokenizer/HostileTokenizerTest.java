package dev.samediff.adapters.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.ForkedJvm;
import dev.samediff.adapters.testing.HostileFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tokenizer files from anybody are used or refused, and never take the JVM down. Changed ones are read in another JVM, so that an abort is
 * seen as what it is. Longer: {@code -Dmutations=2000}.
 */
class HostileTokenizerTest {
    /** A file that runs in a process of its own takes a second. */
    private static final int SLOWER = 20;

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    /** Reads mutations of every tokenizer, in a folder. */
    static final class Mutated {
        private Mutated() {}

        public static void main(String[] arguments) throws IOException {
            for (Map.Entry<String, String> base : TokenizerFiles.all().entrySet()) {
                Path folder = Files.createDirectory(Path.of(arguments[0], base.getKey()));
                Path file = Files.writeString(folder.resolve("tokenizer.json"), base.getValue());
                new HostileFiles("tokenizer.json, " + base.getKey(), file, folder).read(HostileTokenizerTest::use);
            }
        }
    }

    private static void use(Path file) {
        Tokenizer tokenizer = Tokenizers.load(file);
        try {
            for (String probe : TokenizersServer.PROBES) {
                tokenizer.decode(tokenizer.encode(probe));
                tokenizer.decode(tokenizer.encodeFramed(probe));
            }
            tokenizer.decode(new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, Integer.MAX_VALUE});
            tokenizer.decode(new int[0]);
        } finally {
            if (tokenizer instanceof HuggingFaceTokenizer held) {
                held.close();
            }
        }
    }

    private Path file(String json) throws IOException {
        return Files.writeString(folder.resolve("tokenizer.json"), json);
    }

    private Path with(String base, String from, String to) throws IOException {
        String json = TokenizerFiles.all().get(base);
        assertThat(json).contains(from);
        return file(json.replace(from, to));
    }

    @Test
    void a_changed_tokenizer_is_used_or_refused() throws IOException, InterruptedException {
        new ForkedJvm()
                .with(
                        "-Dmutations=" + HostileFiles.count() / SLOWER,
                        "-Dmutations.seed=" + Long.getLong("mutations.seed", 0))
                .run(Mutated.class, folder.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "bytes ~ \"prepend\":\"_\" ~ \"prepend\":\"\" ~ nothing to prepend",
                "pieces ~ \"precompiled_charsmap\":\"ABAAAA ~ \"precompiled_charsmap\":\" ~ precompiled_charsmap",
                "subwords ~ \"continuing_subword_prefix\":\"##\" ~ \"continuing_subword_prefix\":\"####\" ~ continuing_subword_prefix",
                "subwords ~ a ##b ~ a b ~ continuing_subword_prefix",
                "bytes ~ \"special_tokens\":{\"</s>\" ~ \"special_tokens\":{\"<s>\" ~ does not list it",
                "bytes ~ \"single\":[{\"Sequence\":{\"id\":\"A\" ~ \"single\":[{\"Sequence\":{\"id\":\"B\" ~ the sequence B",
                "bytes ~ \"ids\":[1] ~ \"ids\":[1,1] ~ 2 ids for 1 tokens",
                "bytes ~ \"start\":1,\"stop\":0 ~ \"start\":1,\"stop\":9 ~ aborted when it decodes",
                "bytes ~ \"stop\":0 ~ \"stop\":9,\"more\":0 ~ aborted when it decodes",
                "bytes ~ \"id\":1,\"content\" ~ \"id\":4294967296,\"content\" ~ has the id 4294967296",
                "bytes ~ \"start\":1 ~ \"start\":1e999 ~ no 64-bit number holds",
                "bytes ~ \"stop\":0 ~ \"stop\":0,\"more\":-7e400 ~ no 64-bit number holds",
                "bytes ~ \"prepend\":\"_\" ~ \"prepend\":\"_\\ud800\" ~ half of a character",
                "letters ~ \"pad_token\":\"<pad>\",\"word ~ \"pad_token\":\"\\udc00\",\"word ~ half of a character",
                "bytes ~ \"abc\":7 ~ \"abc\":-7 ~ has the id -7",
                "bytes ~ \"abc\":7 ~ \"abc\":99999999999999999999 ~ has the id 99999999999999999999",
            })
    void what_makes_the_library_abort_is_refused(String base, String from, String to, String words) throws IOException {
        Path file = with(base.strip(), from.strip(), to.strip());
        assertThatThrownBy(() -> HuggingFaceTokenizer.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(words);
    }

    /** serde_json refuses them, and the library's reader of decoders aborts where its JSON does not parse. */
    @Test
    void steps_that_are_nested_deeply_are_refused() throws IOException {
        Path file = with("bytes", "\"stop\":0", "\"stop\":0,\"more\":" + "[".repeat(150) + "]".repeat(150));
        assertThatThrownBy(() -> HuggingFaceTokenizer.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("nested deeper than 100");
    }

    @Test
    void replacements_that_multiply_a_text_are_refused() throws IOException {
        String doubling = "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aa\"},";
        Path file = with("bytes", "{\"type\":\"NFC\"},", doubling.repeat(40));
        assertThatThrownBy(() -> HuggingFaceTokenizer.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("times longer");
    }

    @Test
    void a_pattern_that_takes_for_ever_ends_in_a_sentence_and_the_next_call_too() throws IOException {
        Path file = with("bytes", "{\"Regex\":\"a+b?\"}", "{\"Regex\":\"((a+)+)+!!\"}");
        assertThatThrownBy(() -> HuggingFaceTokenizer.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("cannot be used: the tokenizers library");
    }

    @Test
    void what_the_library_refuses_to_encode_is_a_sentence() throws IOException {
        Path file = with("pieces", "\"unk_id\":2", "\"unk_id\":null");
        try (HuggingFaceTokenizer tokenizer =
                HuggingFaceTokenizer.load(with("pieces", "\"unk_id\":2", "\"unk_id\":null,\"more\":0"))) {
            assertThat(file).exists();
            assertThatThrownBy(() -> tokenizer.encode("zzz"))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("cannot encode `zzz`")
                    .hasMessageContaining("unk_id");
        }
    }

    @Test
    void a_file_of_unknown_steps_runs_elsewhere_with_the_same_ids() throws IOException {
        try (HuggingFaceTokenizer here =
                        HuggingFaceTokenizer.load(file(TokenizerFiles.all().get("bytes")));
                HuggingFaceTokenizer elsewhere = HuggingFaceTokenizer.load(
                        with("bytes", "{\"Regex\":\" {2,}\"}", "{\"Regex\":\"(?: | ){2,}\"}"))) {
            for (String text : new String[] {"", "abc  12", "a\u00e9 \ud83d\ude00", "x".repeat(5000)}) {
                assertThat(elsewhere.encode(text)).containsExactly(here.encode(text));
                assertThat(elsewhere.encodeFramed(text)).containsExactly(here.encodeFramed(text));
                assertThat(elsewhere.decode(elsewhere.encode(text))).isEqualTo(here.decode(here.encode(text)));
            }
        }
    }

    @Test
    void the_rules_know_which_files_are_harmless() throws IOException {
        for (Map.Entry<String, String> base : TokenizerFiles.all().entrySet()) {
            byte[] bytes = base.getValue().getBytes(StandardCharsets.UTF_8);
            assertThat(new TokenizerRules(TokenizerJson.parse(bytes, "x"), bytes, "x").check())
                    .as(base.getKey())
                    .isTrue();
        }
    }

    @Test
    void halves_of_characters_are_no_harm() throws IOException {
        for (String base : TokenizerFiles.all().values()) {
            try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(file(base))) {
                assertThat(tokenizer.encode("\ud800a\udc00\u0000")).isNotNull();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
                "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}",
                " {2,}",
                "\\d{1,3}(?=(?:\\d{3})*\\b)",
                "[\u4e00-\u9fa5\u3040-\u309f]+"
            })
    void expressions_of_well_known_tokenizers_are_plain(String regex) {
        assertThat(RegexShape.isPlain(regex)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "((a+)+)+!",
                "(a|a)*!",
                "(.*)*!",
                "a*a*a*!",
                "(?:a?){9}!",
                "\\w+\\w+!",
                "(a)\\1",
                "(?:a{1,5})+",
                "a{99999}",
                "(a",
                "[a",
                "a)",
                "(?=a+)+b",
                "(\\p{L}+)*x"
            })
    void expressions_that_may_take_long_are_not(String regex) {
        assertThat(RegexShape.isPlain(regex)).isFalse();
    }
}
