package dev.samediff.adapters.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** PEFT's matching rules, as observed by running PEFT. */
class TargetSelectorTest {
    private static final AdaptableLayers MODEL = layers(
            "model.layers.0.self_attn.q_proj",
            "model.layers.0.self_attn.v_proj",
            "model.layers.0.mlp.down_proj",
            "model.layers.1.self_attn.q_proj",
            "model.layers.1.self_attn.v_proj",
            "model.layers.1.mlp.down_proj",
            "lm_head");

    static Stream<Arguments> choices() {
        TargetSelector q = TargetSelector.suffixes("q_proj");
        return Stream.of(
                Arguments.of("name of a suffix", q, "0.q 1.q"),
                Arguments.of("several names", TargetSelector.suffixes("q_proj", "v_proj"), "0.q 0.v 1.q 1.v"),
                Arguments.of("full name", TargetSelector.suffixes("model.layers.1.self_attn.q_proj"), "1.q"),
                Arguments.of("two levels of a suffix", TargetSelector.suffixes("mlp.down_proj"), "0.d 1.d"),
                Arguments.of("head by name", TargetSelector.suffixes("lm_head"), "head"),
                Arguments.of("regular expression", TargetSelector.regex(".*\\.1\\..*_proj"), "1.q 1.v 1.d"),
                Arguments.of("all but the head", TargetSelector.allLinear(), "0.q 0.v 0.d 1.q 1.v 1.d"),
                Arguments.of("all", TargetSelector.allLinear().withHead(), "0.q 0.v 0.d 1.q 1.v 1.d head"),
                Arguments.of("exclusion by name", TargetSelector.allLinear().excluding("q_proj"), "0.v 0.d 1.v 1.d"),
                Arguments.of(
                        "exclusion by expression",
                        TargetSelector.allLinear().excluding(ModuleMatch.regex(".*layers\\.0\\..*")),
                        "1.q 1.v 1.d"),
                Arguments.of("layer index", q.layers(1), "1.q"),
                Arguments.of("layer list", q.layers(0).inLayerList("layers"), "0.q"),
                Arguments.of(
                        "full name whatever its index",
                        TargetSelector.suffixes("model.layers.0.self_attn.q_proj", "v_proj")
                                .layers(1),
                        "0.q 1.v"),
                Arguments.of("text", TargetSelector.parse("q_proj, v_proj"), "0.q 0.v 1.q 1.v"),
                Arguments.of("text of an expression", TargetSelector.parse("regex:lm_.*"), "head"),
                Arguments.of("text of all", TargetSelector.parse("all-linear"), "0.q 0.v 0.d 1.q 1.v 1.d"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("choices")
    void chooses(String what, TargetSelector selector, String expected) {
        assertThat(selector.select(MODEL).stream().map(site -> abbreviate(site.module())))
                .as(what)
                .containsExactly(expected.split(" "));
    }

    @ParameterizedTest
    @CsvSource({
        "model.layers.1.x, 1", // PEFT: the list of layers needs a prefix
        "layers.1.x, ",
        "transformer.h.11.attn.c_attn, 11",
        "model.layers.1, ",
        "a.b.2.c.3.d, 2"
    })
    void layer_index_is_the_first_number_behind_a_list_with_a_prefix(String module, Integer expected) {
        assertThat(TargetSelector.allLinear().layerIndex(module).orElse(null)).isEqualTo(expected);
    }

    @Test
    void rank_and_alpha_patterns_take_the_first_key_that_matches() {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        ranks.put("layers.1.*q_proj", 2);
        ranks.put("q_proj", 4);
        TargetSelector selector = TargetSelector.suffixes("q_proj", "v_proj")
                .withRankPattern(ranks)
                .withAlphaPattern(Map.of("v_proj", 32.0));
        assertThat(selector.rank("model.layers.1.self_attn.q_proj", 8)).isEqualTo(2);
        assertThat(selector.rank("model.layers.0.self_attn.q_proj", 8)).isEqualTo(4);
        assertThat(selector.rank("model.layers.0.self_attn.xq_proj", 8)).isEqualTo(8);
        assertThat(selector.alpha("model.layers.0.self_attn.v_proj", OptionalDouble.empty()))
                .hasValue(32);
        assertThat(selector.alpha("model.layers.0.self_attn.q_proj", OptionalDouble.of(16)))
                .hasValue(16);
    }

    @Test
    void an_entry_that_matches_nothing_is_refused_with_what_exists() {
        assertThatThrownBy(() -> TargetSelector.suffixes("q_proj", "q_prj").select(MODEL))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("no linear layer or embedding matches the target `q_prj`; this graph has"
                        + " model.layers.0.self_attn.q_proj, model.layers.0.self_attn.v_proj,"
                        + " model.layers.0.mlp.down_proj, model.layers.1.self_attn.q_proj,"
                        + " model.layers.1.self_attn.v_proj, model.layers.1.mlp.down_proj, lm_head. Correct the entry or"
                        + " leave it out");
    }

    @Test
    void long_lists_in_messages_end_after_24_names() {
        AdaptableLayers many =
                layers(IntStream.range(0, 30).mapToObj(i -> "l" + i).toArray(String[]::new));
        assertThatThrownBy(() -> TargetSelector.suffixes("x").select(many))
                .hasMessageContaining("l0, l1, ")
                .hasMessageContaining("l23, ... (30)");
    }

    @Test
    void wrong_entries_of_every_kind_are_named() {
        TargetSelector q = TargetSelector.suffixes("q_proj");
        assertRefused(() -> TargetSelector.regex("x.*").select(MODEL), "target `x.*`");
        assertRefused(() -> q.excluding("k_proj").select(MODEL), "excluded module `k_proj`");
        assertRefused(() -> q.withRankPattern(Map.of("v_proj", 2)).select(MODEL), "rank pattern `v_proj`");
        assertRefused(() -> q.withAlphaPattern(Map.of("o_proj", 2.0)).select(MODEL), "alpha pattern `o_proj`");
        assertRefused(() -> q.layers(0, 7).select(MODEL), "layer index 7");
        assertRefused(() -> q.layers(0).inLayerList("h").select(MODEL), "[h]");
        assertRefused(() -> q.excluding("q_proj").select(MODEL), "choose no layer");
        assertRefused(() -> TargetSelector.allLinear().select(layers("lm_head")), "choose no layer");
        assertRefused(() -> TargetSelector.regex("(x"), "cannot be read");
        assertRefused(() -> TargetSelector.regex("x").layers(1), "regular expression `x`");
        assertRefused(() -> q.inLayerList("h"), "without layer indices");
        assertRefused(() -> q.layers(-1), "negative");
        assertRefused(() -> q.withRankPattern(Map.of("q_proj", 0)), "rank 0");
        assertRefused(() -> q.withAlphaPattern(Map.of("q_proj", -1.0)), "alpha -1.0");
        assertRefused(() -> TargetSelector.parse("a,,b"), "blank");
    }

    @Test
    void a_layer_that_cannot_be_adapted_is_named_with_the_reason() {
        AdaptableLayers layers = new AdaptableLayers(
                layers("a.q_proj").sites(), List.of(new LinearLayers.Rejected("lm_head", "wte", "its weight is tied")));
        assertRefused(
                () -> TargetSelector.suffixes("lm_head").select(layers),
                "(`lm_head` cannot be adapted: its weight is tied)");
    }

    private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String part) {
        assertThatThrownBy(call).isInstanceOf(InvalidInputException.class).hasMessageContaining(part);
    }

    private static AdaptableLayers layers(String... modules) {
        return new AdaptableLayers(
                Stream.of(modules)
                        .<AdaptableSite>map(m -> new LinearSite(m, m + ".weight", Orientation.IN_OUT, 4, 4, List.of()))
                        .toList(),
                List.of());
    }

    private static String abbreviate(String module) {
        if (module.equals("lm_head")) {
            return "head";
        }
        String[] parts = module.split("\\.");
        return parts[2] + "." + parts[parts.length - 1].charAt(0);
    }
}
