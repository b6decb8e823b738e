package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.BiasedLora;
import dev.samediff.adapters.method.Dora;
import dev.samediff.adapters.method.Ia3;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.LoraFa;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.OrthonormalPenalty;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.ToyGraph;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** What every adapter method must do, on layers that widen, narrow and keep the width, in both orientations. */
class AdapterContractTest {
    private static final int ROWS = 5;

    static List<AdapterMethod> methods() {
        return List.of(
                Lora.rank(3),
                Lora.rank(3).withAlpha(6).withRankStabilizedScaling().withStart(Lora.Start.GAUSSIAN),
                OLora.rank(3).withAlpha(6),
                Pissa.rank(3).withAlpha(6),
                Pissa.rank(3).withFastStart(4),
                Sorsa.rank(3),
                Sorsa.rank(3).withAlpha(6).withRegularizer(OrthonormalPenalty.Form.REPO),
                Dora.rank(3),
                new Dora(OLora.rank(3).withAlpha(6)),
                new Dora(Pissa.rank(3).withAlpha(6).withRankStabilizedScaling()),
                AdaLora.rank(3).withAlpha(12),
                AdaLora.rank(3).withAlpha(6).withOrthogonality(0));
    }

    /** With those that are not for every layer. */
    static List<AdapterMethod> all() {
        return Stream.concat(
                        methods().stream(),
                        Stream.of(
                                LoraFa.rank(3),
                                BiasedLora.rank(3),
                                Ia3.usual(),
                                new BiasedLora(Lora.rank(3).withAlpha(6).withRankStabilizedScaling())))
                .toList();
    }

    static Stream<Arguments> cases() {
        return all().stream().flatMap(method -> Stream.of(6, 8, 11).map(hidden -> Arguments.of(method, hidden)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void injection_does_not_change_the_output(AdapterMethod method, int hidden) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, hidden);
        INDArray before = output(graph);
        AdaptedModel.inject(graph, AdapterConfig.of(method));
        assertThat(maxDifference(output(graph), before)).isLessThan(1e-5);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void only_adapter_tensors_are_trainable(AdapterMethod method, int hidden) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, hidden);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(method));
        assertThat(graph.variables().stream()
                        .filter(v -> v.getVariableType() == VariableType.VARIABLE)
                        .map(v -> v.name()))
                .containsExactlyInAnyOrderElementsOf(model.trainableNames());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void the_branch_is_the_delta(AdapterMethod method, int hidden) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, hidden);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(method));
        perturb(model);
        INDArray adapted = output(graph);
        model.merge();
        assertThat(maxDifference(output(graph), adapted)).isLessThan(2e-6);
        assertThat(maxDifference(output(model.mergedGraph()), adapted)).isLessThan(2e-6);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void merging_and_disabling_are_taken_back_exactly(AdapterMethod method, int hidden) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, hidden);
        Map<String, INDArray> trueWeights = weights(graph);
        INDArray base = output(graph);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(method));
        perturb(model);
        Map<String, INDArray> adaptedWeights = weights(graph);
        INDArray adapted = output(graph);
        assertThat(maxDifference(adapted, base)).isGreaterThan(1e-3);

        model.disable();
        assertThatBits(output(graph)).isEqualTo(base);
        assertThatBits(weights(graph)).isEqualTo(trueWeights);
        model.enable();
        assertThatBits(output(graph)).isEqualTo(adapted);
        model.merge();
        assertThatBits(weights(graph)).isNotEqualTo(adaptedWeights);
        model.unmerge();
        assertThatBits(weights(graph)).isEqualTo(adaptedWeights);
        assertThatBits(output(graph)).isEqualTo(adapted);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void unload_leaves_the_graph_as_it_was(AdapterMethod method, int hidden) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, hidden);
        INDArray base = output(graph);
        Map<String, INDArray> trueWeights = weights(graph);
        List<String> names = graph.variables().stream().map(v -> v.name()).toList();
        int ops = graph.ops().length;
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(method));
        perturb(model);
        SameDiff unloaded = model.unload();

        assertThat(unloaded).isSameAs(graph);
        assertThatBits(output(graph)).isEqualTo(base);
        assertThatBits(weights(graph)).isEqualTo(trueWeights);
        assertThat(graph.variables().stream().map(v -> v.name())).containsExactlyInAnyOrderElementsOf(names);
        assertThat(graph.ops()).hasSize(ops);
        assertThat(graph.getLossVariables()).containsExactly("loss");
        assertThat(graph.getVariable(ToyGraph.UP + ".weight").getVariableType()).isEqualTo(VariableType.VARIABLE);
        AdaptedModel.inject(graph, AdapterConfig.of(method)); // and can be adapted again
    }

    @ParameterizedTest
    @MethodSource("all")
    void plain_fit_trains_the_adapter_and_never_the_base(AdapterMethod method) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, 11);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(method));
        model.peakLearningRate(0.01);
        Map<String, INDArray> frozen = frozen(graph);
        Map<String, INDArray> start = model.trainables();
        double before = loss(graph);
        graph.setTrainingConfig(TrainingConfig.builder()
                .updater(new Adam(0.01))
                .dataSetFeatureMapping("x")
                .dataSetLabelMapping("y")
                .build());
        graph.fit(new SingletonMultiDataSetIterator(new MultiDataSet(x(DataType.FLOAT), y(DataType.FLOAT))), 30);
        assertThat(loss(graph)).isLessThan(before * (method.scales().isPresent() ? 0.98 : 0.8)); // few numbers
        assertThatBits(frozen(graph)).isEqualTo(frozen);
        model.trainables().forEach((name, now) -> assertThatBits(now).as(name).isNotEqualTo(start.get(name)));
    }

    @ParameterizedTest
    @MethodSource("all")
    void a_graph_trained_before_can_be_adapted_and_trained_on(AdapterMethod method) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, 11);
        graph.setTrainingConfig(TrainingConfig.builder()
                .updater(new Adam(0.01))
                .dataSetFeatureMapping("x")
                .dataSetLabelMapping("y")
                .build());
        graph.fit(new MultiDataSet(x(DataType.FLOAT), y(DataType.FLOAT)));
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(method));
        Map<String, INDArray> frozen = frozen(graph);
        double before = loss(graph);
        graph.fit(new SingletonMultiDataSetIterator(new MultiDataSet(x(DataType.FLOAT), y(DataType.FLOAT))), 20);
        assertThat(loss(graph)).isLessThan(before);
        assertThatBits(frozen(graph)).isEqualTo(frozen);
        model.unload();
        graph.fit(new MultiDataSet(x(DataType.FLOAT), y(DataType.FLOAT)));
    }

    @ParameterizedTest
    @MethodSource("all")
    void gradients_match_finite_differences(AdapterMethod method) {
        assumeThat(method.magnitude())
                .as("no gradient goes through lengths; see DoraTest")
                .isEmpty();
        SameDiff graph = ToyGraph.create(DataType.DOUBLE, 8, 11);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(method));
        model.peakLearningRate(0.01);
        perturb(model);
        Map<String, INDArray> gradients = graph.calculateGradients(feeds(DataType.DOUBLE), model.trainableNames());
        for (String name : model.trainableNames()) {
            INDArray array = graph.getVariable(name).getArr();
            INDArray gradient = gradients.get(name);
            for (long i : new long[] {0, array.length() / 2, array.length() - 1}) {
                double value = array.getDouble(i);
                double step = 1e-5;
                array.putScalar(i, value + step);
                double above = total(graph);
                array.putScalar(i, value - step);
                double below = total(graph);
                array.putScalar(i, value);
                double expected = (above - below) / (2 * step);
                assertThat(gradient.getDouble(i))
                        .as("%s[%d]", name, i)
                        .isCloseTo(expected, within(1e-7 + 1e-5 * Math.abs(expected)));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void state_can_be_put_into_another_copy_of_the_base(AdapterMethod method, int hidden) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, hidden);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(method));
        perturb(model);
        AdapterState state = model.state();
        SameDiff other = ToyGraph.create(DataType.FLOAT, 8, hidden);
        AdaptedModel restored = AdaptedModel.inject(other, Map.of(), state);

        assertThatBits(output(other)).isEqualTo(output(graph));
        assertThatBits(restored.trainables()).isEqualTo(model.trainables());
        assertThat(restored.state().baseHash()).isEqualTo(model.state().baseHash());
        assertThatBits(restored.mergedWeights()).isEqualTo(model.mergedWeights());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void plain_lora_form_is_the_same_change_of_the_base(AdapterMethod method, int hidden) {
        assumeThat(method.scales()).as("factors have no such form; see Ia3Test").isEmpty();
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, hidden);
        Map<String, INDArray> trueWeights = weights(graph);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(method));
        perturb(model);
        Map<String, INDArray> merged = model.mergedWeights();
        assertThat(model.state().toPlainLora()).hasSize(2).allSatisfy(plain -> {
            AdaptedSite site = model.sites().stream()
                    .filter(s -> s.module().equals(plain.module()))
                    .findFirst()
                    .orElseThrow();
            String weight = site.layer().weight();
            assertThat(plain.alpha() / plain.rank()).isCloseTo(site.scaling(), within(1e-12));
            assertThat(plain.rank()).isEqualTo(site.startsAtZero() ? 3 : 6);
            INDArray change = plain.a().mmul(plain.b()).mul(plain.alpha() / plain.rank());
            INDArray sum =
                    site.layer().orientation().asInOut(trueWeights.get(weight)).add(change);
            assertThat(plain.magnitude().isPresent())
                    .isEqualTo(method.magnitude().isPresent());
            INDArray changed = plain.magnitude()
                    .map(lengths -> sum.mulRowVector(lengths.div(sum.norm2(0))))
                    .orElse(sum);
            INDArray expected = site.layer().orientation().asInOut(merged.get(weight));
            assertThat(maxDifference(changed, expected)).isLessThan(2e-6);
        });
    }

    @ParameterizedTest
    @MethodSource("all")
    void the_adapted_graph_survives_save_and_load(AdapterMethod method) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, 11);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(method));
        model.peakLearningRate(0.01);
        perturb(model);
        SameDiff copy = graph.dup();
        assertThatBits(output(copy)).isEqualTo(output(graph));
        Map<String, INDArray> expected = graph.calculateGradients(feeds(DataType.FLOAT), model.trainableNames());
        assertThatBits(copy.calculateGradients(feeds(DataType.FLOAT), model.trainableNames()))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("all")
    void a_second_adapter_starts_from_the_true_weight(AdapterMethod method) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, 11);
        INDArray base = output(graph);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(method).withName("first"));
        perturb(model);
        INDArray first = output(graph);
        model.add(AdapterConfig.of(Pissa.rank(2)).withName("second").withTargets(TargetSelector.suffixes("up_proj")));
        assertThatBits(output(graph)).isEqualTo(first);

        model.activate("second");
        assertThat(maxDifference(output(graph), base)).isLessThan(1e-5);
        assertThat(model.trainableNames()).allSatisfy(name -> assertThat(name).contains(".second."));
        if (method.magnitude().isEmpty() && method.scales().isEmpty()) { // see DoraTest, Ia3Test
            model.activate("first", "second");
            assertThat(maxDifference(output(graph), first)).isLessThan(1e-5);
        }
        model.activate("first");
        assertThatBits(output(graph)).isEqualTo(first);
        model.unload();
        assertThatBits(output(graph)).isEqualTo(base);
    }

    @ParameterizedTest
    @MethodSource("all")
    void names_and_settings_make_the_method_again(AdapterMethod method) {
        assertThat(dev.samediff.adapters.method.AdapterMethods.named(
                        method.name(), method.rank(), method.alpha(), method.settings()))
                .isEqualTo(method);
    }

    @org.junit.jupiter.api.Test
    void plain_sgd_step_follows_the_penalty() {
        SameDiff graph = ToyGraph.create(DataType.DOUBLE, 8, 11);
        AdaptedModel model =
                AdaptedModel.inject(graph, AdapterConfig.of(Sorsa.rank(3).withGamma(0.02)));
        model.peakLearningRate(0.1);
        perturb(model);
        Map<String, INDArray> start = model.trainables();
        Map<String, INDArray> gradients = graph.calculateGradients(feeds(DataType.DOUBLE), model.trainableNames());
        graph.setTrainingConfig(TrainingConfig.builder()
                .updater(new Sgd(0.1))
                .dataSetFeatureMapping("x")
                .dataSetLabelMapping("y")
                .build());
        graph.fit(new MultiDataSet(x(DataType.DOUBLE), y(DataType.DOUBLE)));
        model.trainables()
                .forEach((name, value) -> assertThat(maxDifference(
                                value, start.get(name).sub(gradients.get(name).mul(0.1))))
                        .isLessThan(1e-14));
    }

    private static void perturb(AdaptedModel model) {
        Random random = new Random(3);
        Map<String, INDArray> values = new LinkedHashMap<>();
        model.trainables()
                .forEach((name, value) -> values.put(
                        name,
                        value.add(ToyGraph.random(random, value.dataType(), value.shape())
                                .mul(0.1))));
        model.restore(values);
    }

    private static Map<String, INDArray> weights(SameDiff graph) {
        Map<String, INDArray> weights = new LinkedHashMap<>();
        for (String name : List.of(ToyGraph.UP + ".weight", ToyGraph.DOWN + ".weight")) {
            weights.put(name, graph.getVariable(name).getArr().dup());
        }
        return weights;
    }

    private static Map<String, INDArray> frozen(SameDiff graph) {
        Map<String, INDArray> frozen = new LinkedHashMap<>();
        graph.variables().stream()
                .filter(v -> v.getVariableType() == VariableType.CONSTANT)
                .forEach(v -> frozen.put(v.name(), v.getArr().dup()));
        assertThat(frozen.size()).isGreaterThanOrEqualTo(4);
        return frozen;
    }

    private static INDArray x(DataType type) {
        return ToyGraph.random(new Random(5), type, ROWS, 8);
    }

    private static INDArray y(DataType type) {
        return ToyGraph.random(new Random(6), type, ROWS, 8);
    }

    private static Map<String, INDArray> feeds(DataType type) {
        return Map.of("x", x(type), "y", y(type));
    }

    private static INDArray output(SameDiff graph) {
        return graph.output(feeds(DataType.FLOAT), "out").get("out").dup();
    }

    private static double loss(SameDiff graph) {
        return graph.output(feeds(DataType.FLOAT), "loss").get("loss").getDouble(0);
    }

    private static double total(SameDiff graph) {
        List<String> losses = graph.getLossVariables();
        return graph.output(feeds(DataType.DOUBLE), losses).values().stream()
                .mapToDouble(v -> v.getDouble(0))
                .sum();
    }

    private static double maxDifference(INDArray a, INDArray b) {
        return a.sub(b).amaxNumber().doubleValue();
    }
}
