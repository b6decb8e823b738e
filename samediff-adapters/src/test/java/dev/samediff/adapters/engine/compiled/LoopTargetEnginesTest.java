package dev.samediff.adapters.engine.compiled;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.oracle.LoopTarget;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.train.loss.Losses;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Engines and decoding sessions on a target that shares neither memory nor kernels with the host compute what the others do. */
class LoopTargetEnginesTest {
    private static final EngineOptions OPTIONS = EngineOptions.defaults();

    static Stream<LoopTarget> targets() {
        return Stream.of(LoopTarget.ofRows(), LoopTarget.ofStrides());
    }

    static Stream<Arguments> steps() {
        return Stream.of(Lora.rank(2), Sorsa.rank(2))
                .flatMap(method -> targets().map(target -> Arguments.of(target, method)));
    }

    /** A decoder with an adapter that is no longer zero. */
    private record Model(TinyGpt gpt, String loss, List<String> trainables) {
        static Model of(AdapterMethod method) {
            TinyGpt gpt = new TinyGpt(16, 2, 2, 29, 0);
            AdaptedModel adapted = AdaptedModel.inject(gpt.graph, AdapterConfig.of(method));
            Random random = new Random(3);
            for (String name : adapted.trainableNames()) {
                INDArray array = gpt.graph.getArrForVarName(name);
                for (long i = 0; i < array.length(); i++) {
                    array.putScalar(i, array.getDouble(i) + 0.05 * random.nextGaussian());
                }
            }
            return new Model(gpt, Losses.causalLm(gpt.graph, gpt.logits).loss(), adapted.trainableNames());
        }

        CompiledEngine inLoops(EngineOptions options, LoopTarget target) {
            return new CompiledEngine(gpt.graph, loss, trainables, options, target);
        }

        CompiledEngine onHost(EngineOptions options) {
            return new CompiledEngine(gpt.graph, loss, trainables, options);
        }

        ReferenceEngine reference() {
            return new ReferenceEngine(gpt.graph, loss, trainables);
        }
    }

    private static Engine.Gradients compiled(CompiledEngine engine, Map<String, INDArray> batch) {
        Engine.Gradients gradients = engine.gradients(batch);
        assertThat(engine.fallback()).isEmpty();
        return gradients;
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("steps")
    void a_training_step_is_that_of_the_reference_engine_and_of_the_host(LoopTarget target, AdapterMethod method) {
        Model model = Model.of(method);
        Map<String, INDArray> batch = model.gpt().batch(3, 8, 1);
        try (CompiledEngine loops = model.inLoops(OPTIONS, target);
                CompiledEngine recomputing = model.inLoops(OPTIONS.withRecomputation(true), LoopTarget.ofStrides());
                CompiledEngine host = model.onHost(OPTIONS);
                ReferenceEngine reference = model.reference()) {
            Engine.Gradients expected = reference.gradients(batch);
            assertSame(compiled(loops, batch), expected, 1e-4);
            assertSame(compiled(loops, batch), compiled(host, batch), 1e-4);
            assertSame(compiled(recomputing, batch), expected, 1e-4);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("targets")
    void rounded_weights_give_what_they_give_on_the_host(LoopTarget target) {
        Model model = Model.of(Lora.rank(2));
        Map<String, INDArray> batch = model.gpt().batch(3, 8, 1);
        EngineOptions options = OPTIONS.withPrecision(Precision.BFLOAT16);
        try (CompiledEngine loops = model.inLoops(options, target);
                CompiledEngine host = model.onHost(options);
                ReferenceEngine reference = model.reference()) {
            Engine.Gradients actual = compiled(loops, batch);
            assertSame(actual, compiled(host, batch), 5e-3); // numbers near the middle are rounded to either side
            assertThat(actual.loss()).isNotCloseTo(reference.gradients(batch).loss(), within(1e-5));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("targets")
    void attention_over_long_texts_is_that_of_the_reference_engine(LoopTarget target) {
        Model model = Model.of(Lora.rank(2));
        Map<String, INDArray> batch = model.gpt().batch(1, 256, 1);
        try (CompiledEngine loops = model.inLoops(OPTIONS, target);
                ReferenceEngine reference = model.reference()) {
            loops.profile();
            assertSame(compiled(loops, batch), reference.gradients(batch), 1e-4);
            assertThat(loops.profile().entries())
                    .anyMatch(entry -> entry.title().equals("AttentionGrad"));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("targets")
    void a_frozen_weight_that_has_changed_is_copied_again(LoopTarget target) {
        Model model = Model.of(Lora.rank(2));
        Map<String, INDArray> batch = model.gpt().batch(2, 8, 1);
        try (CompiledEngine loops = model.inLoops(OPTIONS, target);
                ReferenceEngine reference = model.reference()) {
            for (int step = 0; step < 3; step++) {
                assertSame(compiled(loops, batch), reference.gradients(batch), 1e-4);
                assertThat(target.copyBytes()).isPositive();
                model.gpt().graph.getArrForVarName(model.gpt().weights.get(0)).muli(1.5);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("targets")
    void a_decoding_session_computes_the_logits_of_the_whole_model_and_its_caches_grow(LoopTarget target) {
        TinyGpt gpt = new TinyGpt(16, 2, 2, 29, 3);
        Map<String, INDArray> texts = gpt.inputs(2, 14, 4);
        INDArray expected;
        try (ReferenceEngine reference = new ReferenceEngine(gpt.graph, "", List.of())) {
            expected = Objects.requireNonNull(
                    reference.outputs(texts, List.of(gpt.logits)).get(gpt.logits));
        }
        try (DecodingSession loops = new DecodingSession(gpt.graph, "input_ids", gpt.logits, OPTIONS, target);
                DecodingSession host = new DecodingSession(gpt.graph, "input_ids", gpt.logits, OPTIONS)) {
            Map<String, INDArray> begun = cut(texts, 6);
            // Positions behind 3 and 5 are computed from other tokens first, and written again.
            begun.put("input_ids", begun.get("input_ids").dup());
            for (int position = 4; position < 6; position++) {
                begun.get("input_ids").putScalar(0, position, 0);
            }
            loops.start(begun);
            host.start(begun);
            for (int step = 4; step < 14; step++) {
                Map<String, INDArray> longer = cut(texts, step < 6 ? 6 : step < 10 ? 10 : 14);
                INDArray logits = loops.next(longer, step, Math.max(4, step - 1));
                INDArray onHost = host.next(longer, step, Math.max(4, step - 1));
                for (int text = 0; text < 2; text++) {
                    int position = text == 0 ? step : Math.max(4, step - 1);
                    INDArray right =
                            expected.get(NDArrayIndex.point(text), NDArrayIndex.point(position), NDArrayIndex.all());
                    assertClose("position " + position, logits.getRow(text), right, 1e-4);
                    assertClose("position " + position, logits.getRow(text), onHost.getRow(text), 1e-4);
                }
            }
        }
    }

    /** The first positions of texts. */
    private static Map<String, INDArray> cut(Map<String, INDArray> texts, int length) {
        Map<String, INDArray> first = new HashMap<>(texts);
        first.put("input_ids", part(texts.get("input_ids"), NDArrayIndex.all(), NDArrayIndex.interval(0, length)));
        first.put(
                "causal",
                part(texts.get("causal"), NDArrayIndex.interval(0, length), NDArrayIndex.interval(0, length)));
        return first;
    }

    private static INDArray part(INDArray array, INDArrayIndex... places) {
        return array.get(places).dup('c');
    }

    private static void assertSame(Engine.Gradients actual, Engine.Gradients expected, double tolerance) {
        assertThat(actual.loss()).isCloseTo(expected.loss(), within(tolerance * Math.abs(expected.loss())));
        assertThat(actual.byName().keySet()).isEqualTo(expected.byName().keySet());
        expected.byName()
                .forEach((name, gradient) -> assertClose(name, actual.byName().get(name), gradient, tolerance));
    }

    private static void assertClose(String name, INDArray actual, INDArray expected, double tolerance) {
        double largest = expected.amaxNumber().doubleValue();
        assertThat(largest).as(name).isPositive();
        assertThat(actual.sub(expected).amaxNumber().doubleValue()).as(name).isLessThan(tolerance * largest);
    }
}
