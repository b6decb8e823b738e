package dev.samediff.adapters.engine.compiled;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.testing.ToyGraph;
import dev.samediff.adapters.text.generation.CachedLogits;
import dev.samediff.adapters.text.generation.Capacities;
import dev.samediff.adapters.text.generation.LogitsFunction;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A decoder's graph changes while texts are remembered. */
class ChangedDecoderTest {
    private static final int LENGTH = 12;

    private final TinyGpt gpt = new TinyGpt(16, 1, 2, 30, 0);
    private final AdaptedModel model =
            AdaptedModel.inject(gpt.graph, AdapterConfig.of(Pissa.rank(2)).withName("one"));
    private final Map<String, INDArray> texts = gpt.inputs(2, LENGTH, 5);

    private Map<String, Runnable> changes() {
        Map<String, Runnable> changes = new LinkedHashMap<>();
        changes.put("restore", this::train);
        changes.put("disable", model::disable);
        changes.put("enable", model::enable);
        changes.put("merge", model::merge);
        changes.put("unmerge", model::unmerge);
        changes.put("add", () -> model.add(AdapterConfig.of(Lora.rank(3)).withName("two")));
        changes.put("activate two", () -> model.activate("two"));
        changes.put("activate both", () -> model.activate("one", "two"));
        changes.put(
                "a trainable in place",
                () -> array(model.trainableNames().get(1)).addi(0.25));
        changes.put("a row of a frozen weight", () -> array("lm_head").getRow(7).muli(-1));
        changes.put(
                "a column of a frozen weight",
                () -> array("lm_head").getColumn(29).muli(2));
        changes.put("a bias", () -> array("h.0.mlp.c_fc.bias").putScalar(63, 2));
        changes.put("a replaced array", () -> new GraphEditor(gpt.graph).replaceArray("lm_head", random(16, 30)));
        changes.put("an op in between", () -> {
            gpt.graph.getVariable(gpt.logits).rename("logits/raw");
            gpt.graph.math.tanh(gpt.logits, gpt.graph.getVariable("logits/raw"));
        });
        changes.put("unload", model::unload);
        return changes;
    }

    private INDArray array(String name) {
        return gpt.graph.getArrForVarName(name);
    }

    private static INDArray random(long... shape) {
        return ToyGraph.random(new Random(17), DataType.FLOAT, shape);
    }

    private void train() {
        Map<String, INDArray> values = new LinkedHashMap<>();
        model.trainables().forEach((name, value) -> values.put(name, value.add(random(value.shape()))));
        model.restore(values);
    }

    private DecodingSession session(Precision precision) {
        return new DecodingSession(
                gpt.graph, "input_ids", gpt.logits, EngineOptions.defaults().withPrecision(precision));
    }

    @ParameterizedTest
    @EnumSource(
            value = Precision.class,
            names = {"FLOAT32", "BFLOAT16"})
    void a_session_refuses_to_go_on_after_any_change_and_starts_anew(Precision precision) {
        try (DecodingSession session = session(precision)) {
            session.start(texts);
            session.next(texts, 3, 4);
            changes().forEach((name, change) -> {
                assertThat(session.isCurrent()).as("before " + name).isTrue();
                change.run();
                assertThat(session.isCurrent()).as(name).isFalse();
                for (int twice = 0; twice < 2; twice++) {
                    assertThatThrownBy(() -> session.next(texts, 4, 5))
                            .as(name)
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessageContainingAll("has changed since start", "call start again");
                }
                session.start(texts);
                float[] found = floats(session.next(texts, 4, 5));
                try (DecodingSession fresh = session(precision)) {
                    fresh.start(texts);
                    assertThat(found).as(name).isEqualTo(floats(fresh.next(texts, 4, 5)));
                }
                assertClose(name, found, precision == Precision.FLOAT32 ? 1e-4 : 0.1);
            });
        }
    }

    /** Compares with the whole model's logits of the texts' positions 4 and 5. */
    private void assertClose(String name, float[] found, double tolerance) {
        try (ReferenceEngine engine = new ReferenceEngine(gpt.graph, "", List.of())) {
            INDArray whole = engine.outputs(texts, List.of(gpt.logits)).get(gpt.logits);
            double largest = whole.amaxNumber().doubleValue();
            for (int i = 0; i < found.length; i++) {
                int text = i / gpt.vocabulary;
                double right = whole.getDouble(text, 4 + text, i % gpt.vocabulary);
                assertThat(Math.abs(found[i] - right)).as(name).isLessThan(tolerance * largest);
            }
        }
    }

    private static float[] floats(INDArray array) {
        return array.dup('c').data().asFloat();
    }

    @Test
    void a_change_while_the_texts_have_grown_into_longer_caches_is_noticed() {
        try (DecodingSession session = session(Precision.FLOAT32)) {
            session.start(texts);
            Map<String, INDArray> longer = gpt.inputs(2, 2 * LENGTH, 5);
            session.next(longer, 3, 4);
            session.next(longer, 4, 5);
            array("lm_head").getRow(3).assign(0);
            assertThatThrownBy(() -> session.next(longer, 5, 6))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("`lm_head`", "call start again");
        }
    }

    @Test
    void what_the_logits_do_not_depend_on_may_change_without_a_new_start() {
        gpt.graph.constant("aside", 1f);
        try (DecodingSession session = session(Precision.FLOAT32)) {
            session.start(texts);
            array("aside").assign(2);
            gpt.graph.getVariable(gpt.logits).mul("aside/twice", 2);
            assertThat(session.isCurrent()).isTrue();
            session.next(texts, 3, 4);
        }
    }

    @Test
    void cached_logits_start_anew_by_themselves() {
        LogitsFunction whole = (ids, lengths) -> {
            try (ReferenceEngine engine = new ReferenceEngine(gpt.graph, "", List.of())) {
                return engine.outputs(inputs(ids), List.of(gpt.logits)).get(gpt.logits);
            }
        };
        INDArray ids = gpt.inputs(2, 40, 9).get("input_ids");
        try (CachedLogits cached = new CachedLogits(
                session(Precision.FLOAT32), whole, (tokens, lengths) -> inputs(tokens), new Capacities(8, 40))) {
            int[] length = {3};
            cached.logits(ids, new int[] {length[0], length[0]});
            changes().forEach((name, change) -> {
                change.run();
                length[0]++;
                int now = length[0];
                float[] found = floats(cached.logits(ids, new int[] {now, now}));
                INDArray expected = whole.logits(ids, new int[] {now, now});
                double largest = expected.amaxNumber().doubleValue();
                for (int i = 0; i < found.length; i++) {
                    double right = expected.getDouble(i / gpt.vocabulary, now - 1, i % gpt.vocabulary);
                    assertThat(Math.abs(found[i] - right)).as(name).isLessThan(1e-4 * largest);
                }
                assertThat(cached.fallback()).as(name).isEmpty();
            });
        }
    }

    private Map<String, INDArray> inputs(INDArray ids) {
        int width = (int) ids.size(1);
        return Map.of("input_ids", ids, "causal", gpt.inputs(1, width, 1).get("causal"));
    }
}
