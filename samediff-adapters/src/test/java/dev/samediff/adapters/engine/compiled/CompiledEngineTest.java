package dev.samediff.adapters.engine.compiled;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineContractTest;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.plan.Profile;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.memory.FileBackedArrays;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class CompiledEngineTest extends EngineContractTest {
    @Override
    protected Engine open(SameDiff graph, String loss, List<String> trainables) {
        return new CompiledEngine(graph, loss, trainables, EngineOptions.defaults());
    }

    @Override
    protected double tolerance() {
        return 1e-5;
    }

    private final TinyGpt gpt = new TinyGpt(32, 4, 2, 50, 3);
    private final TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
    private final Map<String, INDArray> batch = gpt.batch(3, 16, 1);

    private CompiledEngine engine(EngineOptions options) {
        return new CompiledEngine(gpt.graph, loss.loss(), gpt.trainables, options);
    }

    @Test
    void float_graphs_are_compiled() {
        try (CompiledEngine engine = engine(EngineOptions.defaults())) {
            engine.gradients(batch);
            assertThat(engine.fallback()).isEmpty();
        }
    }

    @Test
    void factors_that_together_are_no_float32_are_not_joined() {
        SameDiff sd = SameDiff.create();
        SDVariable x = sd.placeHolder("x", DataType.FLOAT, 2, 3);
        x.div(1e-25).div(1e-25).rename("divided");
        x.mmul(sd.constant("m", Nd4j.ones(DataType.FLOAT, 3, 2)))
                .mul(1e25)
                .mul(1e25)
                .rename("multiplied");
        try (CompiledEngine engine = new CompiledEngine(sd, "", List.of(), EngineOptions.defaults())) {
            engine.outputs(Map.of("x", Nd4j.zeros(DataType.FLOAT, 2, 3)), List.of("divided", "multiplied"))
                    .values()
                    .forEach(
                            zeros -> assertThat(zeros.dup('c').data().asFloat()).containsOnly(0f));
        }
    }

    @Test
    void double_graphs_go_to_the_reference_engine_with_a_reason() {
        TinyGpt doubles = new TinyGpt(8, 1, 2, 5, 2, DataType.DOUBLE, false);
        TaskLoss task = Losses.causalLm(doubles.graph, doubles.logits);
        try (CompiledEngine engine =
                new CompiledEngine(doubles.graph, task.loss(), doubles.trainables, EngineOptions.defaults())) {
            engine.gradients(doubles.batch(1, 3, 1));
            assertThat(engine.fallback())
                    .hasValueSatisfying(why -> assertThat(why).contains("derivative"));
        }
    }

    @Test
    void recomputation_gives_the_same_bits_in_less_than_half_the_memory() {
        try (CompiledEngine keeping = engine(EngineOptions.defaults());
                CompiledEngine recomputing = engine(EngineOptions.defaults().withRecomputation(true))) {
            Map<String, INDArray> large = gpt.batch(8, 64, 1); // beside it the working memory of a kernel is little
            Engine.Gradients expected = keeping.gradients(large);
            Engine.Gradients actual = recomputing.gradients(large);
            assertThatBits(actual).isEqualTo(expected);
            assertThat(recomputing.arenaBytes()).isLessThan(keeping.arenaBytes() / 2);
        }
    }

    @Test
    void bfloat16_rounds_only_what_meets_frozen_weights() {
        try (CompiledEngine exact = engine(EngineOptions.defaults());
                CompiledEngine reduced = engine(EngineOptions.defaults().withPrecision(Precision.BFLOAT16))) {
            Engine.Gradients expected = exact.gradients(batch);
            Engine.Gradients actual = reduced.gradients(batch);
            assertThat(reduced.fallback()).isEmpty();
            assertThat(actual.loss()).isNotEqualTo(expected.loss());
            assertThat(actual.loss()).isCloseTo(expected.loss(), within(0.01 * expected.loss()));
            expected.byName().forEach((name, gradient) -> {
                double norm = gradient.norm2Number().doubleValue();
                double error =
                        actual.byName().get(name).sub(gradient).norm2Number().doubleValue();
                assertThat(error).as(name).isLessThan(0.05 * norm);
            });
        }
    }

    @Test
    void bfloat16_of_weights_in_a_file_gives_the_same_bits(@TempDir Path directory) {
        EngineOptions options = EngineOptions.defaults().withPrecision(Precision.BFLOAT16);
        SameDiff graph = gpt.graph;
        try (CompiledEngine engine = engine(options)) {
            Engine.Gradients expected = engine.gradients(batch);
            for (String name : gpt.weights) {
                INDArray moved = FileBackedArrays.copy(graph.getVariable(name).getArr(), directory)
                        .orElseThrow();
                new GraphEditor(graph).replaceArray(name, moved);
            }
            assertThatBits(engine.gradients(batch)).isEqualTo(expected);
            graph.getVariable(gpt.weights.get(0)).getArr().muli(1.5);
            assertThat(engine.gradients(batch).loss()).isNotEqualTo(expected.loss());
        }
    }

    @Test
    void attention_over_long_texts_is_one_kernel_with_the_same_gradients() {
        Map<String, INDArray> texts = gpt.batch(2, 256, 1);
        try (CompiledEngine compiled = engine(EngineOptions.defaults());
                ReferenceEngine reference = new ReferenceEngine(gpt.graph, loss.loss(), gpt.trainables)) {
            Profile profile = compiled.profile();
            Engine.Gradients actual = compiled.gradients(texts);
            Engine.Gradients expected = reference.gradients(texts);
            assertThat(profile.entries().stream().map(Profile.Entry::title)).contains("Attention", "AttentionGrad");
            assertThat(actual.loss()).isCloseTo(expected.loss(), within(1e-5 * expected.loss()));
            expected.byName().forEach((name, gradient) -> {
                double error = actual.byName().get(name).distance2(gradient);
                assertThat(error)
                        .as(name)
                        .isLessThan(1e-4 * gradient.norm2Number().doubleValue());
            });
        }
    }

    @Test
    void packed_copies_of_frozen_weights_follow_the_weights() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 320);
        INDArray weight = Nd4j.rand(DataType.FLOAT, 320, 256);
        graph.constant("w", weight);
        x.mmul("y", graph.getVariable("w"));
        INDArray input = Nd4j.rand(DataType.FLOAT, 128, 320);
        EngineOptions plain = EngineOptions.defaults().withPackedWeights(false);
        try (CompiledEngine packing = new CompiledEngine(graph, "y", List.of(), EngineOptions.defaults());
                CompiledEngine reading = new CompiledEngine(graph, "y", List.of(), plain)) {
            for (int round = 0; round < 3; round++) {
                INDArray expected =
                        reading.outputs(Map.of("x", input), List.of("y")).get("y");
                INDArray actual =
                        packing.outputs(Map.of("x", input), List.of("y")).get("y");
                assertThat(actual.distance2(expected))
                        .isLessThan(1e-5 * expected.norm2Number().doubleValue());
                graph.getVariable("w").getArr().addi(round + 1);
            }
            assertThat(packing.weightBytes()).isGreaterThanOrEqualTo(320 * 256 * 4);
            assertThat(reading.weightBytes()).isZero();
        }
    }

    @Test
    void a_frozen_weight_changed_in_place_is_rounded_again() {
        try (CompiledEngine reduced = engine(EngineOptions.defaults().withPrecision(Precision.BFLOAT16))) {
            double before = reduced.gradients(batch).loss();
            gpt.graph.getArrForVarName(gpt.weights.get(1)).muli(3);
            assertThat(reduced.gradients(batch).loss()).isNotEqualTo(before);
        }
    }

    @Test
    void plans_for_many_shapes_do_not_add_up() {
        try (CompiledEngine engine = engine(EngineOptions.defaults())) {
            long one = 0;
            for (int length = 16; length > 2; length--) {
                engine.gradients(gpt.batch(3, length, 1));
                one = Math.max(one, engine.arenaBytes());
            }
            engine.gradients(gpt.batch(3, 3, 1));
            assertThat(engine.arenaBytes()).isLessThan(one);
        }
    }

    @Test
    void the_profile_tells_what_nd4j_executed() {
        try (CompiledEngine engine = engine(EngineOptions.defaults())) {
            Profile profile = engine.profile();
            engine.gradients(batch);
            assertThat(profile.entries()).anyMatch(entry -> entry.title().equals("MatMul") && entry.calls() > 20);
            assertThat(profile.entries()).anyMatch(entry -> entry.title().equals("nd4j:onehot") && entry.isFallback());
            assertThat(profile.fallbackShare()).isBetween(0.0, 1.0);
        }
    }

    @Test
    void the_report_tells_the_share_of_nd4j_in_compiled_and_in_other_steps() {
        SameDiff sd = SameDiff.create();
        SDVariable x = sd.placeHolder("x", DataType.FLOAT, -1, 3);
        SDVariable w = sd.var("w", Nd4j.ones(DataType.FLOAT, 3, 2));
        sd.math.tan(sd.mmul(x, w).mul(0.01)).mean().rename("loss");
        Map<String, INDArray> inputs = Map.of("x", Nd4j.ones(DataType.FLOAT, 4, 3));
        try (CompiledEngine engine = new CompiledEngine(sd, "loss", List.of("w"), EngineOptions.defaults())) {
            engine.gradients(inputs);
            assertThat(engine.report()).isEmpty();
            engine.gradients(inputs);
            ExecutionReport report = engine.report().orElseThrow();
            assertThat(report.notCompiled()).isEmpty();
            assertThat(report.nd4jShare()).isStrictlyBetween(0.0, 1.0);
            assertThat(report.operations()).containsOnlyKeys("tan");
            assertThat(report.operations().get("tan")).isCloseTo(report.nd4jShare(), within(1e-9));
            assertThat(report.sentence()).matches("[0-9.]+ % of the time in ND4J's ops: tan [0-9.]+ %");
        }
        TinyGpt doubles = new TinyGpt(8, 1, 2, 5, 2, DataType.DOUBLE, false);
        TaskLoss task = Losses.causalLm(doubles.graph, doubles.logits);
        try (Engine engine = open(doubles.graph, task.loss(), doubles.trainables)) {
            engine.gradients(doubles.batch(1, 3, 1));
            engine.gradients(doubles.batch(1, 3, 1));
            ExecutionReport report = engine.report().orElseThrow();
            assertThat(report.nd4jShare()).isEqualTo(1);
            assertThat(report.notCompiled()).isPresent();
            assertThat(report.sentence()).contains("100 % of the time in ND4J's ops; not compiled: the loss");
        }
    }

    @Test
    void a_small_constant_changed_in_place_is_seen_by_the_next_call() {
        SameDiff sd = SameDiff.create();
        SDVariable x = sd.placeHolder("x", DataType.FLOAT, -1, 3);
        SDVariable w = sd.var("w", Nd4j.ones(DataType.FLOAT, 3, 2));
        SDVariable factor = sd.constant("factor", Nd4j.scalar(DataType.FLOAT, 2));
        sd.mmul(x, w).mul(factor).mean().rename("loss");
        Map<String, INDArray> inputs = Map.of("x", Nd4j.ones(DataType.FLOAT, 4, 3));
        try (Engine engine = open(sd, "loss", List.of("w"))) {
            assertThat(engine.gradients(inputs).loss()).isEqualTo(6);
            factor.getArr().assign(0);
            assertThat(engine.gradients(inputs).loss()).isZero();
        }
    }

    /** The logarithms of cross entropies, discriminators and gates, kept from 0 by a number that float32 cannot add to 1. */
    @ParameterizedTest
    @ValueSource(doubles = {1e-7, 1e-8, 1e-12, 1e-20})
    void a_small_number_that_keeps_a_logarithm_finite_is_not_lost(double small) {
        Map<String, UnaryOperator<SDVariable>> ways = Map.of(
                "p + s", p -> p.rsub(1).rsub(1).add(small),
                "(1 - p) + s", p -> p.rsub(1).add(small),
                "-(p - 1) + s", p -> p.sub(1).neg().add(small),
                "(2 - 2 p) / 2 + s", p -> p.mul(2).rsub(2).div(2).add(small),
                "s - (p - 1)", p -> p.sub(1).rsub(small));
        ways.forEach((name, way) -> {
            SameDiff sd = SameDiff.create();
            SDVariable p = sd.nn.sigmoid(sd.var("w", Nd4j.createFromArray(-120f, -1f, 1f, 40f)));
            sd.math.log(way.apply(p)).sum().rename("loss");
            try (CompiledEngine compiled = new CompiledEngine(sd, "loss", List.of("w"), EngineOptions.defaults());
                    ReferenceEngine reference = new ReferenceEngine(sd, "loss", List.of("w"))) {
                Engine.Gradients expected = reference.gradients(Map.of());
                Engine.Gradients actual = compiled.gradients(Map.of());
                assertThat(compiled.fallback()).isEmpty();
                assertThat(expected.loss()).as(name).isFinite();
                assertThat(actual.loss()).as(name).isCloseTo(expected.loss(), within(1e-4));
                assertThat(actual.byName().get("w").distance2(expected.byName().get("w")))
                        .as(name)
                        .isLessThan(1e-5);
            }
        });
    }

    @Test
    void a_difference_of_large_numbers_is_taken_before_it_is_scaled() {
        SameDiff sd = SameDiff.create();
        SDVariable year = sd.placeHolder("year", DataType.FLOAT, 4);
        year.sub(2000.3).div(0.01).rename("y");
        Map<String, INDArray> inputs = Map.of("year", Nd4j.createFromArray(2000.25f, 2000.3f, 2000.35f, 2001f));
        try (CompiledEngine compiled = new CompiledEngine(sd, "", List.of(), EngineOptions.defaults());
                ReferenceEngine reference = new ReferenceEngine(sd, "", List.of())) {
            INDArray expected = reference.outputs(inputs, List.of("y")).get("y");
            INDArray actual = compiled.outputs(inputs, List.of("y")).get("y");
            assertThat(actual.distance2(expected)).isLessThan(1e-4);
        }
    }
}
