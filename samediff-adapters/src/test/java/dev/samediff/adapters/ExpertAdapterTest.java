package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.OrthonormalPenalty;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.EveryEngine;
import dev.samediff.adapters.testing.ExpertGraph;
import dev.samediff.adapters.testing.ToyGraph;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Adapters on experts in one tensor: they are what adapters on a linear layer for each expert are. */
class ExpertAdapterTest {
    private static final int ROWS = 7;

    static List<AdapterMethod> methods() {
        return List.of(
                Lora.rank(2).withAlpha(6),
                Lora.rank(1).withRankStabilizedScaling().withStart(Lora.Start.GAUSSIAN),
                OLora.rank(2).withAlpha(6),
                Pissa.rank(3).withAlpha(6),
                Pissa.rank(2).withFastStart(4),
                Sorsa.rank(1),
                AdaLora.rank(2).withAlpha(3),
                Sorsa.rank(2).withAlpha(3),
                Sorsa.rank(2).withRegularizer(OrthonormalPenalty.Form.FRO),
                Sorsa.rank(1).withRegularizer(OrthonormalPenalty.Form.REPO),
                Sorsa.rank(2).withRegularizer(OrthonormalPenalty.Form.REPO));
    }

    /** One of each kind of branch and of penalty. */
    static List<AdapterMethod> few() {
        return List.of(
                Lora.rank(1).withRankStabilizedScaling(),
                Pissa.rank(3).withAlpha(6),
                Sorsa.rank(1).withRegularizer(OrthonormalPenalty.Form.REPO),
                Sorsa.rank(2).withRegularizer(OrthonormalPenalty.Form.FRO));
    }

    private static AdapterConfig stacked(AdapterMethod method) {
        return AdapterConfig.of(method).withTargets(TargetSelector.suffixes("up", "experts.down", "gate"));
    }

    private static AdapterConfig separate(AdapterMethod method) {
        return AdapterConfig.of(method).withTargets(TargetSelector.regex("mlp\\.(gate|experts\\..*)"));
    }

    /** The names of the separate layers' tensors that a stack's tensor holds; the tensor's own name of a linear layer. */
    private static List<String> parts(String name) {
        String stack = Stream.of(ExpertGraph.UP, ExpertGraph.DOWN)
                .filter(each -> (name + ".").startsWith(each + "."))
                .findFirst()
                .orElse("");
        return stack.isEmpty()
                ? List.of(name)
                : IntStream.range(0, ExpertGraph.EXPERTS)
                        .mapToObj(e -> stack + "." + e + name.substring(stack.length()))
                        .toList();
    }

    private static void assertSame(INDArray tensor, List<INDArray> parts, double tolerance, String name) {
        for (int e = 0; e < parts.size(); e++) {
            INDArray own = parts.size() == 1 ? tensor : tensor.slice(e);
            assertThat(own.shape()).as(name).isEqualTo(parts.get(e).shape());
            assertThat(own.sub(parts.get(e)).amaxNumber().doubleValue())
                    .as("%s of expert %d", name, e)
                    .isLessThanOrEqualTo(tolerance);
        }
    }

    private static void assertSameTensors(
            Map<String, INDArray> stacks, Map<String, INDArray> layers, double tolerance) {
        List<String> seen = new ArrayList<>();
        stacks.forEach((name, tensor) -> {
            List<String> parts = parts(name);
            seen.addAll(parts);
            assertSame(
                    tensor,
                    parts.stream()
                            .map(part -> Objects.requireNonNull(layers.get(part), part))
                            .toList(),
                    tolerance,
                    name);
        });
        assertThat(seen).containsExactlyInAnyOrderElementsOf(layers.keySet());
    }

    private static void perturb(AdaptedModel model) {
        Random random = new Random(9);
        Map<String, INDArray> values = new LinkedHashMap<>();
        model.trainables()
                .forEach((name, value) -> values.put(
                        name,
                        value.add(ToyGraph.random(random, value.dataType(), value.shape())
                                .mul(0.3))));
        model.restore(values);
    }

    private static INDArray output(SameDiff graph) {
        return graph.output(ExpertGraph.feeds(DataType.FLOAT, ROWS), "y")
                .get("y")
                .dup();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void each_expert_starts_as_a_layer_of_its_own(AdapterMethod method) {
        AdaptedModel stacks = AdaptedModel.inject(ExpertGraph.stacked(DataType.FLOAT), stacked(method));
        AdaptedModel layers = AdaptedModel.inject(ExpertGraph.separate(DataType.FLOAT), separate(method));
        assertSameTensors(stacks.trainables(), layers.trainables(), 0);
        assertThat(stacks.trainableParameters()).isEqualTo(layers.trainableParameters());
        long base = 4 * 3 + 3 * (4 * 5 + 6 * 5);
        assertThat(stacks.totalParameters()).isEqualTo(base + layers.trainableParameters());
    }

    static Stream<Arguments> methodsAndEngines() {
        Stream<Arguments> all = few().stream()
                .flatMap(method -> Stream.of(EveryEngine.COMPILED, EveryEngine.REFERENCE)
                        .map(engine -> Arguments.of(method, engine, ROWS)));
        Stream<Arguments> single = Stream.of(EveryEngine.COMPILED, EveryEngine.REFERENCE)
                .flatMap(engine ->
                        Stream.of(Lora.rank(1), Sorsa.rank(1)).map(method -> Arguments.of(method, engine, 1)));
        return Stream.concat(all, single);
    }

    @ParameterizedTest
    @MethodSource("methodsAndEngines")
    void training_steps_are_those_of_separate_layers(AdapterMethod method, EveryEngine kind, int rows) {
        SameDiff one = ExpertGraph.stacked(DataType.FLOAT);
        SameDiff several = ExpertGraph.separate(DataType.FLOAT);
        AdaptedModel stacks = AdaptedModel.inject(one, stacked(method));
        AdaptedModel layers = AdaptedModel.inject(several, separate(method));
        Map<String, INDArray> feeds = ExpertGraph.feeds(DataType.FLOAT, rows);
        try (Engine left = kind.open(one, "loss", stacks.trainableNames());
                Engine right = kind.open(several, "loss", layers.trainableNames())) {
            for (int step = 0; step < 4; step++) {
                Engine.Gradients actual = left.gradients(feeds);
                Engine.Gradients expected = right.gradients(feeds);
                assertThat(actual.loss()).isCloseTo(expected.loss(), within(1e-5 * expected.loss()));
                assertSameTensors(actual.byName(), expected.byName(), 3e-5);
                actual.byName()
                        .forEach((name, gradient) ->
                                one.getVariable(name).getArr().subi(gradient.mul(0.2)));
                expected.byName()
                        .forEach((name, gradient) ->
                                several.getVariable(name).getArr().subi(gradient.mul(0.2)));
            }
        }
        assertSameTensors(stacks.mergedWeights(), weights(layers), 3e-5);
    }

    /** Separate weights without the ending of their names, which stacks lack. */
    private static Map<String, INDArray> weights(AdaptedModel layers) {
        Map<String, INDArray> weights = new LinkedHashMap<>();
        layers.mergedWeights()
                .forEach((name, value) ->
                        weights.put(name.startsWith(ExpertGraph.GATE) ? name : name.replace(".weight", ""), value));
        return weights;
    }

    @ParameterizedTest
    @MethodSource("few")
    void gradients_match_finite_differences(AdapterMethod method) {
        SameDiff graph = ExpertGraph.stacked(DataType.DOUBLE);
        AdaptedModel model = AdaptedModel.inject(graph, stacked(method));
        model.peakLearningRate(0.01);
        perturb(model);
        Map<String, INDArray> feeds = ExpertGraph.feeds(DataType.DOUBLE, ROWS);
        Map<String, INDArray> gradients = graph.calculateGradients(feeds, model.trainableNames());
        for (String name : model.trainableNames()) {
            INDArray array = graph.getVariable(name).getArr();
            INDArray gradient = Objects.requireNonNull(gradients.get(name));
            for (long i = 0; i < array.length(); i += 1 + array.length() / 4) {
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

    private static double total(SameDiff graph, Map<String, INDArray> feeds) {
        List<String> losses = graph.getLossVariables();
        return graph.output(feeds, losses).values().stream()
                .mapToDouble(value -> value.getDouble(0))
                .sum();
    }

    @ParameterizedTest
    @EnumSource
    void the_penalty_of_experts_is_that_of_separate_layers_in_closed_form_and_in_the_graph(
            OrthonormalPenalty.Form form) {
        for (int rank : new int[] {1, 2}) {
            Sorsa method = Sorsa.rank(rank).withRegularizer(form);
            SameDiff one = ExpertGraph.stacked(DataType.DOUBLE);
            AdaptedModel stacks = AdaptedModel.inject(one, stacked(method));
            AdaptedModel layers = AdaptedModel.inject(ExpertGraph.separate(DataType.DOUBLE), separate(method));
            perturb(stacks);
            Map<String, INDArray> values = new LinkedHashMap<>();
            stacks.trainables().forEach((name, value) -> {
                List<String> parts = parts(name);
                for (int e = 0; e < parts.size(); e++) {
                    values.put(
                            parts.get(e),
                            parts.size() == 1 ? value : value.slice(e).dup('c'));
                }
            });
            layers.restore(values);
            Penalty penalty = method.penalty().orElseThrow();
            Penalty.Value actual = penalty.evaluate(tensors(stacks));
            Penalty.Value expected = penalty.evaluate(tensors(layers));
            assertThat(actual.value()).isCloseTo(expected.value(), within(1e-12 * expected.value()));
            assertSameTensors(named(stacks, actual), named(layers, expected), 1e-12);
            stacks.peakLearningRate(1);
            Map<String, INDArray> feeds = ExpertGraph.feeds(DataType.DOUBLE, ROWS);
            double inGraph =
                    total(one, feeds) - one.output(feeds, "loss").get("loss").getDouble(0);
            assertThat(inGraph).isCloseTo(penalty.gamma() * actual.value(), within(1e-9 * Math.abs(inGraph)));
        }
    }

    private static List<Map<String, INDArray>> tensors(AdaptedModel model) {
        return model.sites().stream().map(site -> site.tensors(model.graph())).toList();
    }

    private static Map<String, INDArray> named(AdaptedModel model, Penalty.Value value) {
        Map<String, INDArray> named = new LinkedHashMap<>();
        for (int i = 0; i < model.sites().size(); i++) {
            Map<String, String> names = model.sites().get(i).trainables();
            value.gradients().get(i).forEach((name, gradient) -> named.put(names.get(name), gradient));
        }
        return named;
    }

    @ParameterizedTest
    @MethodSource("few")
    void injecting_switching_merging_and_unloading_leave_what_they_promise(AdapterMethod method) {
        SameDiff graph = ExpertGraph.stacked(DataType.FLOAT);
        INDArray base = output(graph);
        INDArray up = graph.getVariable(ExpertGraph.UP).getArr().dup();
        List<String> names = graph.variables().stream().map(SDVariable::name).toList();
        AdaptedModel model = AdaptedModel.inject(graph, stacked(method));
        assertThat(output(graph).sub(base).amaxNumber().doubleValue()).isLessThan(1e-5);
        perturb(model);
        INDArray adapted = output(graph);
        assertThat(adapted.sub(base).amaxNumber().doubleValue()).isGreaterThan(1e-2);
        model.merge();
        assertThat(output(graph).sub(adapted).amaxNumber().doubleValue()).isLessThan(1e-5);
        assertThatBits(graph.getVariable(ExpertGraph.UP).getArr())
                .isEqualTo(model.mergedWeights().get(ExpertGraph.UP));
        model.unmerge();
        assertThatBits(output(graph)).isEqualTo(adapted);
        assertThat(output(model.mergedGraph()).sub(adapted).amaxNumber().doubleValue())
                .isLessThan(1e-5);
        model.disable();
        assertThatBits(output(graph)).isEqualTo(base);
        model.enable();
        AdaptedModel other = AdaptedModel.inject(ExpertGraph.stacked(DataType.FLOAT), Map.of(), model.state());
        assertThatBits(output(other.graph())).isEqualTo(adapted);
        model.add(stacked(Lora.rank(1)).withName("second"));
        model.activate("default", "second");
        assertThat(output(graph).sub(adapted).amaxNumber().doubleValue()).isLessThan(1e-6);
        assertThat(model.updates())
                .allSatisfy(update -> assertThat(update.down().size(-1))
                        .isEqualTo(method.rank() + 1)
                        .isEqualTo(update.up().size(-2)));
        assertThatBits(output(model.unload())).isEqualTo(base);
        assertThatBits(graph.getVariable(ExpertGraph.UP).getArr()).isEqualTo(up);
        assertThat(graph.variables().stream().map(SDVariable::name)).containsExactlyInAnyOrderElementsOf(names);
    }

    @Test
    void a_weighted_sum_of_adapters_is_the_sum_of_their_changes() {
        AdaptedModel one = AdaptedModel.inject(ExpertGraph.stacked(DataType.FLOAT), stacked(Lora.rank(1)));
        AdaptedModel two = AdaptedModel.inject(ExpertGraph.stacked(DataType.FLOAT), stacked(Pissa.rank(2)));
        perturb(one);
        perturb(two);
        AdapterState sum = AdapterSum.of(
                "sum", List.of(new AdapterSum.Weighted(one.state(), 0.5), new AdapterSum.Weighted(two.state(), -2)));
        SameDiff graph = ExpertGraph.stacked(DataType.FLOAT);
        AdaptedModel added = AdaptedModel.inject(graph, Map.of(), sum);
        added.mergedWeights().forEach((name, merged) -> {
            INDArray base =
                    ExpertGraph.stacked(DataType.FLOAT).getVariable(name).getArr();
            INDArray expected = base.add(one.mergedWeights().get(name).sub(base).mul(0.5))
                    .add(two.mergedWeights().get(name).sub(base).mul(-2));
            assertThat(merged.sub(expected).amaxNumber().doubleValue()).isLessThan(1e-5);
        });
    }

    @Test
    void all_linear_layers_leave_experts_out_and_say_so() {
        AdaptedModel model = AdaptedModel.inject(
                ExpertGraph.stacked(DataType.FLOAT),
                AdapterConfig.of(Lora.rank(1)).withTargets(TargetSelector.allLinear()));
        assertThat(model.sites()).extracting(AdaptedSite::module).containsExactly(ExpertGraph.GATE);
        assertThat(model.leftOut().get("default"))
                .extracting(left -> left.module())
                .containsExactly(ExpertGraph.UP, ExpertGraph.DOWN);
        assertThat(model.summary())
                .contains("`mlp.experts.up`, because experts in one tensor are adapted only if they are named");
    }

    @Test
    void an_adapter_of_another_number_of_experts_is_refused_with_both_shapes() {
        AdapterState state = AdaptedModel.inject(ExpertGraph.stacked(DataType.FLOAT), stacked(Lora.rank(1)))
                .state();
        SameDiff graph = ExpertGraph.stacked(DataType.FLOAT);
        graph.getVariable(ExpertGraph.UP)
                .setArray(ToyGraph.random(new Random(1), DataType.FLOAT, 2, ExpertGraph.IN, ExpertGraph.HIDDEN));
        assertThatThrownBy(() -> AdaptedModel.inject(graph, Map.of(), state))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("mlp.experts.up")
                .hasMessageContaining("[3,4,5]")
                .hasMessageContaining("[2,4,5]");
    }

    @Test
    void a_rank_beyond_one_experts_matrix_is_refused() {
        assertThatThrownBy(() -> AdaptedModel.inject(ExpertGraph.stacked(DataType.FLOAT), stacked(Lora.rank(5))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("between 1 and");
    }
}
