package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.GradientGraph;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.EveryEngine;
import dev.samediff.adapters.testing.ToyGraph;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** Adapters on embedding tables. */
class EmbeddingAdapterTest {
    private static final String TABLE = EmbeddingGraph.TOKENS + ".weight";
    private static final String A = EmbeddingGraph.TOKENS + ".lora_embedding_A.default";
    private static final String B = EmbeddingGraph.TOKENS + ".lora_embedding_B.default";

    static List<AdapterMethod> methods() {
        return List.of(
                Lora.rank(3),
                Lora.rank(3).withAlpha(6).withRankStabilizedScaling().withStart(Lora.Start.GAUSSIAN),
                OLora.rank(3).withAlpha(6),
                Pissa.rank(3).withAlpha(6),
                Pissa.rank(3).withFastStart(4),
                Sorsa.rank(3),
                AdaLora.rank(3).withAlpha(6));
    }

    private static AdapterConfig config(AdapterMethod method) {
        return AdapterConfig.of(method).withTargets(TargetSelector.suffixes("wte", "wpe", "mlp"));
    }

    private static AdapterConfig tokens(AdapterMethod method) {
        return AdapterConfig.of(method).withTargets(TargetSelector.suffixes("wte"));
    }

    @Test
    void lora_starts_as_in_peft_and_is_named_as_there() {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        AdaptedModel model = AdaptedModel.inject(graph, tokens(Lora.rank(4).withAlpha(8)));
        assertThat(model.trainableNames()).containsExactly(A, B);
        INDArray a = graph.getVariable(A).getArr();
        INDArray b = graph.getVariable(B).getArr();
        assertThat(a.shape()).containsExactly(EmbeddingGraph.VOCABULARY, 4);
        assertThat(a.amaxNumber().doubleValue()).isZero();
        assertThat(b.shape()).containsExactly(4, EmbeddingGraph.DIM);
        assertThat(b.stdNumber().doubleValue()).isBetween(0.6, 1.5);
        assertThat(model.trainableParameters()).isEqualTo(4 * (13 + 6));
        assertThat(model.totalParameters()).isEqualTo(13 * 6 + 7 * 6 + 6 * 6 + 4 * (13 + 6));
        assertThat(model.summary()).contains(EmbeddingGraph.TOKENS).contains("76 of 232 parameters");
        assertThat(model.sites()).extracting(site -> site.layer().kind()).containsExactly(SiteKind.EMBEDDING);
    }

    /** The adapter gave nothing for ids below zero, which the lookup beside it counts from the end. */
    @ParameterizedTest
    @EnumSource
    void ids_below_zero_count_from_the_end_in_the_adapter_too(EveryEngine kind) {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        AdaptedModel model = AdaptedModel.inject(graph, config(Pissa.rank(3)));
        perturb(model);
        Map<String, INDArray> feeds = new LinkedHashMap<>(EmbeddingGraph.feeds(DataType.FLOAT));
        try (Engine engine = kind.open(graph, "loss", model.trainableNames())) {
            feeds.put("ids", Nd4j.createFromArray(new int[][] {{12, 0, 3, 5}, {1, 12, 0, 6}}));
            Engine.Gradients expected = engine.gradients(feeds);
            feeds.put("ids", Nd4j.createFromArray(new int[][] {{-1, 0, -10, 5}, {1, 12, -13, -7}}));
            Engine.Gradients actual = engine.gradients(feeds);
            assertThat(actual.loss()).isEqualTo(expected.loss());
            expected.byName()
                    .forEach((name, gradient) -> assertThat(
                                    maxDifference(actual.byName().get(name), gradient))
                            .as(name)
                            .isZero());
            for (int bad : new int[] {13, -14, 1000, Integer.MIN_VALUE}) {
                feeds.put("ids", Nd4j.createFromArray(new int[][] {{12, 0, 3, 5}, {1, bad, 0, 6}}));
                assertThatThrownBy(() -> engine.gradients(feeds))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("[1, 1]")
                        .hasMessageContaining("`ids` is " + bad + ", allowed is -13 to 12");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("methods")
    void injection_does_not_change_the_output(AdapterMethod method) {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        INDArray before = logits(graph);
        AdaptedModel.inject(graph, config(method));
        assertThat(maxDifference(logits(graph), before)).isLessThan(1e-5);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void merging_and_disabling_are_taken_back_exactly_and_the_tied_head_keeps_its_numbers(AdapterMethod method) {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        INDArray base = logits(graph);
        INDArray table = graph.getVariable(TABLE).getArr().dup();
        AdaptedModel model = AdaptedModel.inject(graph, config(method));
        perturb(model);
        INDArray adapted = logits(graph);
        INDArray residual = graph.getVariable(TABLE).getArr().dup();
        assertThat(maxDifference(adapted, base)).isGreaterThan(1e-2);

        model.merge();
        assertThat(maxDifference(logits(graph), adapted)).isLessThan(2e-6);
        INDArray merged = graph.getVariable(TABLE).getArr();
        assertThatBits(merged).isEqualTo(model.mergedWeights().get(TABLE)).isNotEqualTo(table);
        model.unmerge();
        assertThatBits(logits(graph)).isEqualTo(adapted);
        assertThatBits(graph.getVariable(TABLE).getArr()).isEqualTo(residual);
        model.disable();
        assertThatBits(logits(graph)).isEqualTo(base);
        assertThatBits(graph.getVariable(TABLE).getArr()).isEqualTo(table);
        model.enable();
        assertThatBits(logits(graph)).isEqualTo(adapted);
        assertThat(maxDifference(logits(model.mergedGraph()), adapted)).isLessThan(2e-6);
        assertThatBits(logits(graph)).isEqualTo(adapted);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void unload_leaves_the_graph_as_it_was(AdapterMethod method) {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        INDArray base = logits(graph);
        List<String> names = graph.variables().stream().map(SDVariable::name).toList();
        int ops = graph.ops().length;
        AdaptedModel model = AdaptedModel.inject(graph, config(method));
        perturb(model);
        model.unload();
        assertThatBits(logits(graph)).isEqualTo(base);
        assertThat(graph.variables().stream().map(SDVariable::name)).containsExactlyInAnyOrderElementsOf(names);
        assertThat(graph.ops()).hasSize(ops);
        assertThatBits(logits(graph.dup())).isEqualTo(base);
        AdaptedModel.inject(graph, config(method)); // and can be adapted again
    }

    @ParameterizedTest
    @MethodSource("methods")
    void gradients_match_finite_differences_also_after_saving(AdapterMethod method) throws IOException {
        SameDiff graph = EmbeddingGraph.create(DataType.DOUBLE);
        AdaptedModel model = AdaptedModel.inject(graph, config(method));
        model.peakLearningRate(0.01);
        perturb(model);
        Map<String, INDArray> feeds = EmbeddingGraph.feeds(DataType.DOUBLE);
        Map<String, INDArray> gradients = graph.calculateGradients(feeds, model.trainableNames());
        SameDiff reloaded = reloaded(graph);
        assertThatBits(reloaded.calculateGradients(feeds, model.trainableNames()))
                .isEqualTo(gradients);
        for (String name : model.trainableNames()) {
            INDArray array = graph.getVariable(name).getArr();
            INDArray gradient = Objects.requireNonNull(gradients.get(name));
            for (long i = 0; i < array.length(); i += 1 + array.length() / 5) {
                double value = array.getDouble(i);
                double step = 1e-5;
                array.putScalar(i, value + step);
                double above = total(graph, feeds);
                array.putScalar(i, value - step);
                double below = total(graph, feeds);
                array.putScalar(i, value);
                double expected = (above - below) / (2 * step);
                assertThat(gradient.getDouble(i))
                        .as("%s[%d]", name, i)
                        .isCloseTo(expected, within(1e-7 + 1e-5 * Math.abs(expected)));
            }
        }
    }

    @Test
    void twenty_steps_of_plain_fit_are_those_of_the_reference_also_from_a_saved_graph() throws IOException {
        SameDiff graph = EmbeddingGraph.create(DataType.DOUBLE);
        AdaptedModel model = AdaptedModel.inject(graph, tokens(Lora.rank(2).withAlpha(3)));
        EmbeddingReference reference = reference(graph, model);
        INDArray table = graph.getVariable(TABLE).getArr().dup();
        SameDiff saved = reloaded(graph);
        for (SameDiff trained : List.of(graph, saved)) {
            trained.setTrainingConfig(TrainingConfig.builder()
                    .updater(new Sgd(0.5))
                    .dataSetFeatureMapping("ids", "positions")
                    .dataSetLabelMapping("y")
                    .build());
            for (int i = 0; i < 20; i++) {
                trained.fit(batch());
            }
        }
        double first = reference.step(0.5);
        for (int i = 1; i < 20; i++) {
            reference.step(0.5);
        }
        for (SameDiff trained : List.of(graph, saved)) {
            assertThat(maxDifference(trained.getVariable(A).getArr(), Nd4j.createFromArray(reference.a)))
                    .isLessThan(1e-10);
            assertThat(maxDifference(trained.getVariable(B).getArr(), Nd4j.createFromArray(reference.b)))
                    .isLessThan(1e-10);
            assertThatBits(trained.getVariable(TABLE).getArr()).isEqualTo(table);
        }
        assertThat(reference.differentiate()).isLessThan(0.9 * first);
    }

    @Test
    void twenty_steps_through_the_engine_are_those_of_the_reference() {
        SameDiff graph = EmbeddingGraph.create(DataType.DOUBLE);
        AdaptedModel model = AdaptedModel.inject(graph, tokens(Lora.rank(2).withAlpha(3)));
        EmbeddingReference reference = reference(graph, model);
        try (Engine engine = new ReferenceEngine(graph, "loss", model.trainableNames())) {
            for (int i = 0; i < 20; i++) {
                Engine.Gradients step = engine.gradients(EmbeddingGraph.feeds(DataType.DOUBLE));
                assertThat(step.loss()).isCloseTo(reference.step(0.5), within(1e-10));
                step.byName()
                        .forEach((name, gradient) ->
                                graph.getVariable(name).getArr().subi(gradient.mul(0.5)));
            }
        }
        assertThat(maxDifference(graph.getVariable(A).getArr(), Nd4j.createFromArray(reference.a)))
                .isLessThan(1e-10);
        assertThat(maxDifference(graph.getVariable(B).getArr(), Nd4j.createFromArray(reference.b)))
                .isLessThan(1e-10);
    }

    @Test
    void nothing_of_the_dense_table_is_differentiated() {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        AdaptedModel model = AdaptedModel.inject(graph, tokens(Lora.rank(2)));
        GradientGraph gradients = GradientGraph.of(graph, "loss", model.trainableNames());
        assertThat(gradients.gradients()).containsOnlyKeys(A, B);
        assertThat(gradients.graph().getOps().values())
                .filteredOn(op -> op.getOp().opName().equals("matmul_bp"))
                .extracting(op -> op.getInputsToOp().get(1))
                .as("only B's two products have two gradients")
                .containsOnly(B);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void state_can_be_put_into_another_copy_of_the_base(AdapterMethod method) {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        AdaptedModel model = AdaptedModel.inject(graph, config(method));
        perturb(model);
        SameDiff other = EmbeddingGraph.create(DataType.FLOAT);
        AdaptedModel restored = AdaptedModel.inject(other, Map.of(), model.state());
        assertThatBits(logits(other)).isEqualTo(logits(graph));
        assertThatBits(restored.mergedWeights()).isEqualTo(model.mergedWeights());
    }

    @Test
    void several_adapters_share_a_table() {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        INDArray base = logits(graph);
        AdaptedModel model = AdaptedModel.inject(graph, tokens(Lora.rank(2)));
        perturb(model);
        INDArray one = logits(graph);
        model.add(tokens(Pissa.rank(3)).withName("second"));
        model.activate("second");
        assertThat(maxDifference(logits(graph), base)).isLessThan(1e-5);
        model.activate("default");
        assertThatBits(logits(graph)).isEqualTo(one);
        assertThatBits(logits(model.unload())).isEqualTo(base);
    }

    @Test
    void a_graph_with_an_adapted_table_is_not_adapted_again() {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        AdaptedModel.inject(graph, tokens(Lora.rank(2)));
        assertThatThrownBy(() -> AdaptedModel.inject(graph, tokens(Lora.rank(2))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(A);
    }

    @Test
    void a_linear_adapter_does_not_fit_an_embedding() {
        AdapterState state = AdaptedModel.inject(EmbeddingGraph.create(DataType.FLOAT), tokens(Lora.rank(2)))
                .state();
        AdapterState.Site s = state.sites().get(0);
        AdapterState linear = new AdapterState(
                state.config(),
                List.of(new AdapterState.Site(
                        s.module(),
                        s.weight(),
                        s.in(),
                        s.out(),
                        s.rank(),
                        s.alpha(),
                        s.scaling(),
                        s.tensors(),
                        s.start(),
                        true,
                        s.weightHash())),
                state.baseHash());
        assertThatThrownBy(() -> AdaptedModel.inject(EmbeddingGraph.create(DataType.FLOAT), Map.of(), linear))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(EmbeddingGraph.TOKENS)
                .hasMessageContaining("LINEAR")
                .hasMessageContaining("EMBEDDING");
    }

    @TempDir
    Path folder;

    private SameDiff reloaded(SameDiff graph) throws IOException {
        File file = folder.resolve("graph.fb").toFile();
        graph.save(file, true);
        return SameDiff.load(file, true);
    }

    private static EmbeddingReference reference(SameDiff graph, AdaptedModel model) {
        perturb(model);
        return new EmbeddingReference(
                matrix(graph, TABLE),
                matrix(graph, EmbeddingGraph.POSITIONS + ".weight"),
                matrix(graph, EmbeddingGraph.LINEAR + ".weight"),
                Objects.requireNonNull(EmbeddingGraph.feeds(DataType.DOUBLE).get("y"))
                        .toDoubleMatrix(),
                1.5,
                matrix(graph, A),
                matrix(graph, B));
    }

    private static double[][] matrix(SameDiff graph, String name) {
        return graph.getVariable(name).getArr().toDoubleMatrix();
    }

    private static MultiDataSet batch() {
        Map<String, INDArray> feeds = EmbeddingGraph.feeds(DataType.DOUBLE);
        return new MultiDataSet(
                new INDArray[] {feeds.get("ids"), feeds.get("positions")}, new INDArray[] {feeds.get("y")});
    }

    private static void perturb(AdaptedModel model) {
        Random random = new Random(3);
        Map<String, INDArray> values = new LinkedHashMap<>();
        model.trainables()
                .forEach((name, value) -> values.put(
                        name,
                        value.add(ToyGraph.random(random, value.dataType(), value.shape())
                                .mul(0.3))));
        model.restore(values);
    }

    private static INDArray logits(SameDiff graph) {
        return graph.output(EmbeddingGraph.feeds(DataType.FLOAT), "logits")
                .get("logits")
                .dup();
    }

    private static double total(SameDiff graph, Map<String, INDArray> feeds) {
        return graph.output(feeds, graph.getLossVariables()).values().stream()
                .mapToDouble(v -> v.getDouble(0))
                .sum();
    }

    private static double maxDifference(INDArray a, INDArray b) {
        return a.sub(b).amaxNumber().doubleValue();
    }
}
