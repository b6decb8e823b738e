package dev.samediff.adapters.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the files of a tokenizer say goes around a text. */
class FramingTest {
    private static final String BEGIN =
            "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],"
                    + "\"pair\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}],"
                    + "\"special_tokens\":{\"<s>\":{\"id\":\"<s>\",\"ids\":[1],\"tokens\":[\"<s>\"]}}}";
    private static final String BYTES =
            "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}";
    private static final String ROBERTA =
            "{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",2],\"cls\":[\"<s>\",1],\"trim_offsets\":true,\"add_prefix_space\":true}";
    private static final String BERT = "{\"type\":\"BertProcessing\",\"sep\":[\"</s>\",2],\"cls\":[\"<s>\",1]}";

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    /** Ids: pad 0, begin 1, end 2, unknown 3, a 4, b 5, turn 6. */
    private HuggingFaceTokenizer tokenizer(String postProcessor, String... nameAndContent) throws IOException {
        String special =
                "\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}";
        StringBuilder added = new StringBuilder();
        int id = 0;
        for (String token : List.of("<pad>", "<s>", "</s>")) {
            added.append(id == 0 ? "" : ",").append("{\"id\":" + id++ + ",\"content\":\"" + token + "\"," + special);
        }
        added.append(",{\"id\":6,\"content\":\"<turn>\"," + special);
        Path file = Files.writeString(
                folder.resolve("tokenizer.json"),
                "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[" + added
                        + "],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"WhitespaceSplit\"},\"post_processor\":"
                        + postProcessor
                        + ",\"decoder\":null,\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"<pad>\":0,\"<s>\":1,\"</s>\":2,\"<unk>\":3,\"a\":4,\"b\":5},"
                        + "\"unk_token\":\"<unk>\"}}");
        for (int i = 0; i < nameAndContent.length; i += 2) {
            Files.writeString(folder.resolve(nameAndContent[i]), nameAndContent[i + 1]);
        }
        return HuggingFaceTokenizer.load(file);
    }

    private static void frames(HuggingFaceTokenizer tokenizer, List<Integer> before, List<Integer> after) {
        try (tokenizer) {
            assertThat(tokenizer.framing().before())
                    .extracting(Framing.Mark::id)
                    .isEqualTo(before);
            assertThat(tokenizer.framing().after()).extracting(Framing.Mark::id).isEqualTo(after);
            int[] framed = tokenizer.encodeFramed("a b");
            List<Integer> expected = new ArrayList<>(before);
            expected.addAll(List.of(4, 5));
            expected.addAll(after);
            assertThat(framed)
                    .containsExactly(expected.stream().mapToInt(id -> id).toArray());
            assertThat(tokenizer.encode("a b")).containsExactly(4, 5);
        }
    }

    @Test
    void the_post_processor_of_every_kind_says_what_is_put_around_a_text() throws IOException {
        frames(tokenizer("null"), List.of(), List.of());
        frames(tokenizer(BYTES), List.of(), List.of());
        frames(tokenizer(BEGIN), List.of(1), List.of());
        frames(tokenizer(ROBERTA), List.of(1), List.of(2));
        frames(tokenizer(BERT), List.of(1), List.of(2));
        frames(
                tokenizer("{\"type\":\"Sequence\",\"processors\":[" + BYTES + "," + BEGIN + "]}"),
                List.of(1),
                List.of());
    }

    @Test
    void what_the_library_makes_of_a_second_template_decides() throws IOException {
        String turn = BEGIN.replace("\"<s>\"", "\"<turn>\"").replace("\"ids\":[1]", "\"ids\":[6]");
        // the second one gets what the first one made as a pair, and its pair has no <turn>
        frames(tokenizer("{\"type\":\"Sequence\",\"processors\":[" + BEGIN + "," + turn + "]}"), List.of(1), List.of());
    }

    @Test
    void several_tokens_of_a_template_stand_in_its_order() throws IOException {
        String two = BEGIN.replace("\"ids\":[1],\"tokens\":[\"<s>\"]", "\"ids\":[6,1],\"tokens\":[\"<turn>\",\"<s>\"]");
        frames(tokenizer(two), List.of(6, 1), List.of());
    }

    @ParameterizedTest
    @CsvSource({
        "true,  true,  1, 2",
        "true,  false, 1, ",
        "true,  null,  1, ",
        "false, true,   , 2",
        "false, false,  , ",
        "null,  null,  1, ",
    })
    void the_tokenizer_config_decides_over_the_post_processor(String bos, String eos, Integer before, Integer after)
            throws IOException {
        frames(
                tokenizer(
                        BEGIN,
                        "tokenizer_config.json",
                        "{\"add_bos_token\":" + bos + ",\"add_eos_token\":" + eos + "}"),
                before == null ? List.of() : List.of(before),
                after == null ? List.of() : List.of(after));
    }

    @Test
    void a_beginning_token_that_no_post_processor_adds_is_added_by_the_config() throws IOException {
        frames(tokenizer("null", "tokenizer_config.json", "{\"add_bos_token\": true}"), List.of(1), List.of());
        frames(
                tokenizer("null", "tokenizer_config.json", "{\"add_bos_token\": true, \"bos_token\": \"<turn>\"}"),
                List.of(6),
                List.of());
    }

    @Test
    void tokens_are_named_by_the_config_then_by_the_map() throws IOException {
        try (HuggingFaceTokenizer tokenizer = tokenizer(
                "null",
                "tokenizer_config.json",
                "{\"eos_token\": \"<turn>\"}",
                "special_tokens_map.json",
                "{\"eos_token\": \"</s>\", \"pad_token\": {\"content\": \"</s>\"}}")) {
            assertThat(tokenizer.eosId()).isEqualTo(6);
            assertThat(tokenizer.padId()).isEqualTo(2);
            assertThat(tokenizer.bosId()).hasValue(1);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "{} ~ 2",
                "{\"eos_token_id\": null} ~ 2",
                "{\"eos_token_id\": 6} ~ 2 6",
                "{\"eos_token_id\": [6, 2]} ~ 2 6",
                "{\"eos_token_id\": [6, 6, 0]} ~ 2 6 0",
                "{\"eos_token_id\": [7, -1, 99999999999999999999]} ~ 2", // none of the vocabulary
            })
    void generation_ends_at_the_tokenizers_end_and_those_of_the_generation_config(String json, String ends)
            throws IOException {
        try (HuggingFaceTokenizer tokenizer = tokenizer(
                "null", "tokenizer_config.json", "{\"eos_token\": \"</s>\"}", "generation_config.json", json)) {
            assertThat(tokenizer.framing().ends())
                    .isEqualTo(List.of(ends.strip().split(" ")).stream()
                            .map(Integer::valueOf)
                            .toList());
        }
    }

    @Test
    void the_generation_config_names_the_end_and_the_beginning_before_usual_names_do() throws IOException {
        try (HuggingFaceTokenizer tokenizer =
                tokenizer("null", "generation_config.json", "{\"eos_token_id\": [6, 2], \"bos_token_id\": 4}")) {
            assertThat(tokenizer.eosId()).isEqualTo(6);
            assertThat(tokenizer.bosMark()).hasValue(new Framing.Mark(4, "a"));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "tokenizer_config.json ~ {\"add_bos_token\": \"yes\"} ~ \"add_bos_token\" is \"yes\"; expected true or false",
                "tokenizer_config.json ~ {\"add_eos_token\": 1} ~ \"add_eos_token\" is 1; expected true or false",
                "tokenizer_config.json ~ {\"eos_token\": 7} ~ \"eos_token\" is 7; expected a string",
                "tokenizer_config.json ~ {\"bos_token\": {\"content\": []}} ~ expected a string, or an object",
                "tokenizer_config.json ~ {\"bos_token\": \"<none>\"} ~ has no token `<none>`",
                "special_tokens_map.json ~ {\"pad_token\": [\"<pad>\"]} ~ \"pad_token\" is [\"<pad>\"]",
                "special_tokens_map.json ~ [] ~ holds no JSON object",
                "generation_config.json ~ {\"eos_token_id\": \"2\"} ~ \"eos_token_id\" is \"2\"; expected the id of a token",
                "generation_config.json ~ {\"eos_token_id\": [2, 1.5]} ~ \"eos_token_id\" is [2,1.5]",
                "generation_config.json ~ {\"eos_token_id\": {}} ~ \"eos_token_id\" is {}",
                "generation_config.json ~ {\"bos_token_id\": true} ~ \"bos_token_id\" is true",
                "generation_config.json ~ { ~ is not JSON",
            })
    void what_the_files_hold_of_another_type_is_refused_with_its_key(String file, String json, String words) {
        assertThatThrownBy(() -> tokenizer("null", file.strip(), json.strip()).close())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(file.strip().equals("tokenizer_config.json") ? "" : file.strip())
                .hasMessageContaining(words.strip());
    }

    @Test
    void a_list_of_ends_without_end_is_refused() {
        String many = "{\"eos_token_id\": [2" + ", 2".repeat(1000) + "]}";
        assertThatThrownBy(
                        () -> tokenizer("null", "generation_config.json", many).close())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("a list of at most 1000");
    }

    @Test
    void a_beginning_token_that_nobody_names_cannot_be_added() throws IOException {
        Path file = Files.writeString(
                folder.resolve("tokenizer.json"), TokenizerFiles.all().get("letters")); // pad, end, unknown, a and |
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"add_bos_token\": true, \"bos_token\": null}");
        assertThatThrownBy(() -> HuggingFaceTokenizer.load(file).close())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("says add_bos_token, but no file names a bos_token");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "\"ids\":[1] ~ \"ids\":[7] ~ with the id 7; expected a whole number from 0 to 6",
                "\"ids\":[1] ~ \"ids\":[-1] ~ with the id -1",
                "\"ids\":[1] ~ \"ids\":[4294967297] ~ with the id 4294967297",
                "\"ids\":[1] ~ \"ids\":[1.5] ~ with the id 1.5",
                "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\" ~ {\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\" ~ the text 2 times",
                ",{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\" ~ ],\"pair\" ~ the text 0 times",
            })
    void a_template_that_no_text_can_be_framed_by_is_refused(String from, String to, String words) {
        assertThat(BEGIN).contains(from.strip());
        assertThatThrownBy(
                        () -> tokenizer(BEGIN.replace(from.strip(), to.strip())).close())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(words.strip());
    }

    @Test
    void more_tokens_around_a_text_than_any_tokenizer_has_are_refused() {
        String one = "{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},";
        assertThatThrownBy(
                        () -> tokenizer(BEGIN.replace(one, one.repeat(100_000))).close())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("more than 64 tokens");
        String processors = (BERT + ",").repeat(65);
        assertThatThrownBy(() -> tokenizer("{\"type\":\"Sequence\",\"processors\":["
                                + processors.substring(0, processors.length() - 1) + "]}")
                        .close())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("more than 64 tokens");
    }

    @Test
    void every_kind_of_tokenizer_is_framed_as_its_library_frames_it() throws IOException {
        for (Map.Entry<String, String> base : TokenizerFiles.all().entrySet()) {
            Path file = Files.writeString(folder.resolve("tokenizer.json"), base.getValue());
            try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(file)) {
                Framing framing = tokenizer.framing();
                int[] body = tokenizer.encode("ab a");
                int[] framed = tokenizer.encodeFramed("ab a");
                assertThat(framed)
                        .as(base.getKey())
                        .hasSize(body.length
                                + framing.before().size()
                                + framing.after().size())
                        .startsWith(framing.begin(body))
                        .endsWith(framing.afterIds());
            }
        }
    }

    @Test
    void a_choice_overrides_what_the_files_say() throws IOException {
        try (HuggingFaceTokenizer framed = tokenizer(BEGIN)) {
            assertThat(Beginning.AUTO.of(framed).sentence())
                    .startsWith("every text begins with `<s>` (post_processor of");
            assertThat(Beginning.NO.of(framed).before()).isEmpty();
            assertThat(Beginning.YES.of(framed).beforeIds()).containsExactly(1);
        }
        try (HuggingFaceTokenizer plain = tokenizer("null")) {
            assertThat(Beginning.AUTO.of(plain).before()).isEmpty();
            assertThat(Beginning.YES.of(plain).sentence()).isEqualTo("every text begins with `<s>` (as asked for)");
        }
    }

    @Test
    void what_a_text_spells_out_is_not_put_there_again() {
        Framing framing = Framing.plain(9)
                .withBefore(List.of(new Framing.Mark(6, "<turn>"), new Framing.Mark(1, "<s>")), "a test");
        assertThat(framing.begin(4, 5)).containsExactly(6, 1, 4, 5);
        assertThat(framing.begin(6, 1, 4)).containsExactly(6, 1, 4);
        assertThat(framing.begin(6, 4)).containsExactly(6, 1, 6, 4);
        assertThat(framing.begin()).containsExactly(6, 1);
        assertThat(Framing.plain(9).begin(9, 4)).containsExactly(9, 4);
    }
}
