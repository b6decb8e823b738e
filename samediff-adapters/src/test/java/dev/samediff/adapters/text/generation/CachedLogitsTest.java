package dev.samediff.adapters.text.generation;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.compiled.DecodingSession;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class CachedLogitsTest {
    private static final CharTokenizer LETTERS = CharTokenizer.ofText("abcdefghijklmnopqrstuvwxyz");
    private static final List<String> PROMPTS = List.of("abc", "q", "thequickbrownfox", "mno");

    private final TinyGpt gpt = new TinyGpt(16, 2, 2, LETTERS.vocabularySize(), 2);
    private final List<Integer> computed = new ArrayList<>();
    private boolean causal = true;

    private Map<String, INDArray> inputs(INDArray ids, int... lengths) {
        int width = (int) ids.size(1);
        INDArray mask = gpt.inputs(1, width, 1).get("causal");
        return Map.of("input_ids", ids, "causal", causal ? mask : Nd4j.zeros(DataType.FLOAT, width, width));
    }

    private LogitsFunction whole() {
        return (ids, lengths) -> {
            computed.add((int) ids.size(1));
            try (ReferenceEngine engine = new ReferenceEngine(gpt.graph, "", List.of())) {
                return engine.outputs(inputs(ids, lengths), List.of(gpt.logits)).get(gpt.logits);
            }
        };
    }

    private CachedLogits cached(EngineOptions options, Capacities capacities) {
        DecodingSession session = new DecodingSession(gpt.graph, "input_ids", gpt.logits, options);
        return new CachedLogits(session, whole(), this::inputs, capacities);
    }

    private List<Generation> generate(LogitsFunction model, GenerationPlan plan) {
        return new TextGenerator(model, LETTERS, plan).generate(PROMPTS);
    }

    @Test
    void texts_of_different_lengths_are_continued_as_without_a_cache() {
        GenerationPlan plan = GenerationPlan.greedy(30, 40);
        List<Generation> expected = generate(whole(), plan);
        computed.clear();
        try (CachedLogits cached = cached(EngineOptions.defaults(), new Capacities(8, 40))) {
            assertThat(generate(cached, plan)).isEqualTo(expected);
            assertThat(cached.fallback()).isEmpty();
            assertThat(computed).as("the check of the first call").containsExactly(16);
            assertThat(generate(cached, plan.batched(3))).as("in other batches").isEqualTo(expected);
        }
    }

    @Test
    void every_way_to_choose_and_to_stop_writes_the_same_with_and_without_a_cache() {
        GenerationPlan plan = GenerationPlan.greedy(20, 40);
        String second = generate(whole(), plan).get(1).text().substring(3, 5);
        List<GenerationPlan> plans = List.of(
                plan.sampled(Sampling.greedy().withRepetitionPenalty(1.3), 0),
                plan.sampled(Sampling.of(0.8), 1),
                plan.sampled(Sampling.of(1).withTopK(5), 2),
                plan.sampled(Sampling.of(1).withTopP(0.8), 3),
                plan.sampled(Sampling.of(1).withMinP(0.2), 4),
                plan.sampled(
                        Sampling.of(1.2)
                                .withTopK(9)
                                .withTopP(0.95)
                                .withMinP(0.05)
                                .withRepetitionPenalty(1.1),
                        5),
                plan.stoppedAt(List.of(second)),
                plan.sampled(Sampling.of(1), 6).stoppedAt(List.of("e", "xy")),
                plan.withBeams(Beams.of(4)),
                plan.withBeams(Beams.of(3).withLengthPenalty(2).endingEarly(true)),
                plan.sampled(Sampling.greedy().withRepetitionPenalty(1.3), 0)
                        .withBeams(Beams.of(5))
                        .stoppedAt(List.of(second)));
        try (CachedLogits cached = cached(EngineOptions.defaults(), new Capacities(8, 40))) {
            for (GenerationPlan each : plans) {
                List<Generation> expected = generate(whole(), each);
                assertThat(generate(cached, each)).as(each.toString()).isEqualTo(expected);
                assertThat(generate(cached, each.batched(3)))
                        .as("in other batches")
                        .isEqualTo(expected);
            }
            assertThat(cached.fallback()).isEmpty();
        }
        Generation stopped = generate(whole(), plans.get(6)).get(1);
        assertThat(stopped.end()).isEqualTo(Generation.End.STOP_STRING);
        assertThat(stopped.text()).doesNotContain(second);
    }

    @Test
    void logits_are_those_of_the_whole_model_at_every_position() {
        INDArray ids = gpt.inputs(3, 30, 4).get("input_ids");
        INDArray expected = whole().logits(ids, new int[] {30, 30, 30});
        int[] lengths = {1, 9, 4};
        try (CachedLogits cached = cached(EngineOptions.defaults(), new Capacities(4, 30))) {
            while (lengths[1] <= 30) {
                INDArray logits = cached.logits(ids, lengths);
                for (int row = 0; row < 3; row++) {
                    float[] right = LastLogits.of(expected, row, lengths[row] - 1);
                    float[] found = LastLogits.of(logits, row, 0);
                    float largest = 0;
                    for (float logit : right) {
                        largest = Math.max(largest, Math.abs(logit));
                    }
                    assertThat(found).containsExactly(right, offset(1e-4f * largest));
                    lengths[row]++;
                }
            }
            assertThat(cached.fallback()).isEmpty();
        }
    }

    @Test
    void a_single_token_proves_nothing_so_the_next_call_is_compared_too() {
        causal = false;
        INDArray ids = gpt.inputs(2, 12, 4).get("input_ids");
        try (CachedLogits cached = cached(EngineOptions.defaults(), new Capacities(12, 12))) {
            cached.logits(ids, new int[] {1, 1});
            assertThatBits(cached.logits(ids, new int[] {2, 2})).isEqualTo(whole().logits(ids, new int[] {2, 2}));
            assertThat(cached.fallback()).isPresent();
        }
    }

    @Test
    void a_model_that_mixes_positions_otherwise_is_computed_as_a_whole_and_the_reason_names_the_op() {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
        SDVariable rows = graph.gather(graph.var("table", Nd4j.rand(DataType.FLOAT, 29, 4)), ids, 0);
        SDVariable mean = rows.mean(true, 1);
        rows.add(mean).rename("logits");
        GraphLogits averages = new GraphLogits(graph, List.of("input_ids"), "logits");
        try (CachedLogits cached = CachedLogits.of(averages, 12, EngineOptions.defaults())) {
            INDArray tokens = gpt.inputs(2, 12, 4).get("input_ids");
            int[] lengths = {5, 12};
            assertThatBits(cached.logits(tokens, lengths)).isEqualTo(averages.logits(tokens, lengths));
            assertThat(cached.fallback())
                    .hasValueSatisfying(why -> assertThat(why).contains("Reduce", "chooses or sums positions"));
        }
    }

    @Test
    void bfloat16_weights_may_be_cached_for_and_a_changed_adapter_is_seen() {
        EngineOptions options = EngineOptions.defaults().withPrecision(Precision.BFLOAT16);
        INDArray ids = gpt.inputs(2, 12, 4).get("input_ids");
        try (CachedLogits cached = cached(options, new Capacities(4, 12))) {
            INDArray first = cached.logits(ids, new int[] {5, 6});
            assertThat(cached.fallback()).isEmpty();
            gpt.graph.getArrForVarName(gpt.trainables.get(1)).muli(3);
            cached.restart();
            assertThatBits(cached.logits(ids, new int[] {5, 6})).isNotEqualTo(first);
        }
    }

    @Test
    void caches_grow_by_a_half_at_most_from_128_on_and_never_beyond_the_context() {
        Capacities capacities = Capacities.upTo(1000);
        assertThat(IntStream.of(1, 64, 65, 129, 193, 257, 385, 513, 769, 1000).map(capacities::of))
                .containsExactly(64, 64, 128, 192, 256, 384, 512, 768, 1000, 1000);
    }

    @Test
    void a_model_that_sees_later_tokens_is_computed_as_a_whole_with_a_reason() {
        causal = false;
        GenerationPlan plan = GenerationPlan.greedy(5, 40);
        List<Generation> expected = generate(whole(), plan);
        try (CachedLogits cached = cached(EngineOptions.defaults(), new Capacities(8, 40))) {
            assertThat(generate(cached, plan)).isEqualTo(expected);
            assertThat(cached.fallback())
                    .hasValueSatisfying(why -> assertThat(why).contains("is a token seen by tokens before it"));
        }
    }
}
