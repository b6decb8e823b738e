package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OrthonormalPenalty;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.ToyGraph;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** What holds of several adapters on one model, and of asking for one where there are several. */
class SeveralAdaptersTest {
    private static final double PEAK = 0.05;

    private final SameDiff graph = ToyGraph.create(DataType.DOUBLE, 8, 11);

    private static AdapterConfig adapter(String name, AdapterMethod method, String... targets) {
        return AdapterConfig.of(method)
                .withName(name)
                .withTargets(targets.length == 0 ? TargetSelector.allLinear() : TargetSelector.suffixes(targets));
    }

    /** Two SORSA of other forms and gammas, partly on one layer, moved away from their orthonormal start. */
    private AdaptedModel twoPenalties() {
        AdaptedModel model =
                AdaptedModel.inject(graph, adapter("one", Sorsa.rank(2).withGamma(0.02), "up_proj"));
        model.add(adapter("two", Sorsa.rank(3).withGamma(0.3).withRegularizer(OrthonormalPenalty.Form.FRO)));
        model.activate("one", "two");
        Random random = new Random(3);
        Map<String, INDArray> moved = new LinkedHashMap<>();
        model.trainables()
                .forEach((name, value) -> moved.put(
                        name,
                        value.add(ToyGraph.random(random, value.dataType(), value.shape())
                                .mul(0.2))));
        model.restore(moved);
        return model;
    }

    private Map<String, INDArray> feeds() {
        return Map.of(
                "x", ToyGraph.random(new Random(5), DataType.DOUBLE, 5, 8),
                "y", ToyGraph.random(new Random(6), DataType.DOUBLE, 5, 8));
    }

    private double total() {
        return graph.output(feeds(), graph.getLossVariables()).values().stream()
                .mapToDouble(value -> value.getDouble(0))
                .sum();
    }

    /** gamma / eta_max times the penalty, by the closed form. */
    private static double penalty(AdaptedModel model, String name) {
        Penalty penalty = model.config(name).method().penalty().orElseThrow();
        return penalty.gamma()
                / PEAK
                * penalty.evaluate(model.state(name).sites().stream()
                                .map(AdapterState.Site::tensors)
                                .toList())
                        .value();
    }

    @ParameterizedTest
    @CsvSource({"true, 'one two'", "false, 'one two'", "true, two", "false, two", "false, one"})
    void the_penalties_of_all_active_adapters_are_in_the_loss(boolean peakFirst, String active) {
        AdaptedModel model = twoPenalties();
        if (peakFirst) {
            model.activate("one");
            model.peakLearningRate(PEAK);
        }
        model.activate(active.split(" "));
        if (!peakFirst) {
            model.peakLearningRate(PEAK);
        }
        double expected = graph.output(feeds(), "loss").get("loss").getDouble(0);
        for (String name : active.split(" ")) {
            expected += penalty(model, name);
        }
        assertThat(total()).isCloseTo(expected, within(1e-10 * expected));
    }

    @Test
    void gradients_of_several_penalties_are_those_of_finite_differences() {
        AdaptedModel model = twoPenalties();
        model.peakLearningRate(PEAK);
        Map<String, INDArray> gradients = graph.calculateGradients(feeds(), model.trainableNames());
        for (String name : model.trainableNames()) {
            INDArray array = graph.getVariable(name).getArr();
            for (long i : new long[] {0, array.length() / 2, array.length() - 1}) {
                double value = array.getDouble(i);
                array.putScalar(i, value + 1e-6);
                double above = total();
                array.putScalar(i, value - 1e-6);
                double below = total();
                array.putScalar(i, value);
                double expected = (above - below) / 2e-6;
                assertThat(gradients.get(name).getDouble(i))
                        .as("%s[%d]", name, i)
                        .isCloseTo(expected, within(1e-6 * Math.max(1, Math.abs(expected))));
            }
        }
    }

    @Test
    void plain_fit_follows_all_penalties() {
        AdaptedModel model = twoPenalties();
        model.peakLearningRate(PEAK);
        Map<String, INDArray> start = model.trainables();
        Map<String, INDArray> gradients = graph.calculateGradients(feeds(), model.trainableNames());
        graph.setTrainingConfig(TrainingConfig.builder()
                .updater(new Sgd(1e-3))
                .dataSetFeatureMapping("x")
                .dataSetLabelMapping("y")
                .build());
        double one = penalty(model, "one");
        double two = penalty(model, "two");
        for (int i = 0; i < 2; i++) {
            graph.fit(new MultiDataSet(feeds().get("x"), feeds().get("y")));
            if (i == 0) {
                model.trainables()
                        .forEach((name, value) -> assertThat(value.sub(start.get(name))
                                        .add(gradients.get(name).mul(1e-3))
                                        .amaxNumber()
                                        .doubleValue())
                                .as(name)
                                .isLessThan(1e-12));
            }
        }
        assertThat(penalty(model, "one")).isLessThan(one);
        assertThat(penalty(model, "two")).isLessThan(two);
    }

    @Test
    void one_is_asked_for_where_several_are_active_only_by_its_name() {
        AdaptedModel model = AdaptedModel.inject(graph, adapter("first", Lora.rank(2)));
        model.add(adapter("second", Pissa.rank(3)));
        assertThat(model.config().name()).isEqualTo("first");
        assertThat(model.state().config().name()).isEqualTo("first");
        model.activate("second", "first");
        List<ThrowingCallable> calls = List.of(model::state, model::config);
        for (ThrowingCallable call : calls) {
            assertThatThrownBy(call)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContainingAll("[first, second] are active", "state(\"first\")", "states()");
        }
        assertThat(model.state("second").config().method()).isEqualTo(Pissa.rank(3));
        assertThat(model.config("second").method()).isEqualTo(Pissa.rank(3));
        model.activate();
        for (ThrowingCallable call : calls) {
            assertThatThrownBy(call)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContainingAll("no adapter is active", "[first, second]");
        }
    }

    @Test
    void states_are_all_adapters_by_name_whether_active_or_not() {
        AdaptedModel model = AdaptedModel.inject(graph, adapter("first", Lora.rank(2)));
        model.add(adapter("second", Pissa.rank(3), "up_proj"));
        model.activate("second");
        Map<String, AdapterState> states = model.states();
        assertThat(states.keySet()).containsExactly("first", "second");
        assertThat(states.get("first").sites()).hasSize(2);
        SameDiff other = ToyGraph.create(DataType.DOUBLE, 8, 11);
        AdaptedModel again = AdaptedModel.inject(other, Map.of(), states.get("first"));
        again.add(states.get("second"));
        again.activate("first", "second");
        model.activate("first", "second");
        assertThatBits(again.trainables()).isEqualTo(model.trainables());
        assertThatBits(other.outputSingle(feeds(), "out")).isEqualTo(graph.outputSingle(feeds(), "out"));
    }

    @Test
    void a_state_is_a_copy_and_is_copied() {
        AdaptedModel model = AdaptedModel.inject(graph, adapter("first", Pissa.rank(2)));
        AdapterState state = model.state();
        INDArray before = graph.outputSingle(feeds(), "out").dup();
        SameDiff other = ToyGraph.create(DataType.DOUBLE, 8, 11);
        AdaptedModel again = AdaptedModel.inject(other, Map.of(), state);
        state.sites().forEach(site -> {
            site.tensors().values().forEach(tensor -> tensor.addi(1));
            site.start().values().forEach(tensor -> tensor.addi(1));
        });
        for (AdaptedModel each : List.of(model, again)) {
            each.disable();
            each.merge();
            each.enable();
            each.unmerge();
            assertThatBits(each.graph().outputSingle(feeds(), "out")).isEqualTo(before);
        }
    }

    @Test
    void an_adapter_whose_name_is_taken_is_added_under_another_one() {
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        AdapterState saved = model.state();
        assertThatThrownBy(() -> model.add(saved)).isInstanceOf(InvalidInputException.class);
        model.add(saved.withName("two"));
        assertThat(model.adapters()).containsExactly("default", "two");
        assertThatThrownBy(() -> saved.withName("a.b"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`a.b`");
    }

    @Test
    void a_removed_adapter_leaves_no_trace_wherever_it_was_in_the_order() {
        for (String gone : List.of("one", "two", "three")) {
            SameDiff fresh = ToyGraph.create(DataType.DOUBLE, 8, 11);
            AdaptedModel model = AdaptedModel.inject(fresh, adapter("one", Lora.rank(2)));
            model.add(adapter("two", Sorsa.rank(2)));
            model.add(adapter("three", Pissa.rank(3), "down_proj"));
            model.activate("one", "two", "three");
            model.remove(gone);
            assertThat(fresh.variables().stream().map(SDVariable::name)).noneMatch(name -> name.contains(gone));
            assertThat(fresh.getOps().keySet()).noneMatch(name -> name.contains(gone));
            assertThat(model.adapters()).doesNotContain(gone).hasSize(2);
            assertThatBits(fresh.dup().outputSingle(feeds(), "out")).isEqualTo(fresh.outputSingle(feeds(), "out"));
            model.add(adapter(gone, Lora.rank(1))); // the name is free again
            assertThatThrownBy(() -> model.remove("four"))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("no adapter `four`");
            model.unload();
            assertThat(fresh.variables().stream().map(SDVariable::name))
                    .containsExactlyInAnyOrderElementsOf(ToyGraph.create(DataType.DOUBLE, 8, 11).variables().stream()
                            .map(SDVariable::name)
                            .toList());
            assertThat(fresh.getOps().keySet())
                    .isEqualTo(ToyGraph.create(DataType.DOUBLE, 8, 11).getOps().keySet());
        }
    }

    @Test
    void after_the_only_adapter_is_removed_another_can_be_added() {
        INDArray base = graph.outputSingle(feeds(), "out").dup();
        AdaptedModel model = AdaptedModel.inject(graph, adapter("one", Sorsa.rank(2)));
        model.remove("one");
        assertThat(model.adapters()).isEmpty();
        assertThat(graph.getLossVariables()).containsExactly("loss");
        assertThatBits(graph.outputSingle(feeds(), "out")).isEqualTo(base);
        model.add(adapter("two", Pissa.rank(2)));
        model.activate("two");
        assertThat(model.trainableNames()).isNotEmpty();
        model.unload();
        assertThatBits(graph.outputSingle(feeds(), "out")).isEqualTo(base);
        assertThat(graph.getVariable(ToyGraph.UP + ".bias").getVariableType())
                .isEqualTo(org.nd4j.autodiff.samediff.VariableType.VARIABLE);
    }

    @Test
    void who_predicts_with_a_copy_does_not_see_adapters_being_switched() {
        AdaptedModel model = AdaptedModel.inject(graph, adapter("one", Pissa.rank(2)));
        SameDiff serving = SharingCopy.of(graph);
        INDArray expected = serving.outputSingle(feeds(), "out").dup();
        model.disable();
        model.merge();
        model.enable();
        model.restore(Map.copyOf(model.trainables().entrySet().stream()
                .collect(java.util.stream.Collectors.toMap(
                        Map.Entry::getKey, e -> e.getValue().mul(2)))));
        model.remove("one");
        assertThatBits(serving.outputSingle(feeds(), "out")).isEqualTo(expected);
    }
}
