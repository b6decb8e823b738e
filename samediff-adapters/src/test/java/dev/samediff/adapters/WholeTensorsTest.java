package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.WholeTensors.Bias;
import dev.samediff.adapters.graph.ModuleMatch;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.testing.SharedGraph;
import dev.samediff.adapters.testing.ToyGraph;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** Which tensors are trained whole, and whose arrays they are. What every operation does to them: OperationsContractTest. */
class WholeTensorsTest {
    private static final String DOWN = ToyGraph.DOWN;
    private static final AdapterConfig LORA = AdapterConfig.of(Lora.rank(2));

    private static SameDiff graph() {
        return ToyGraph.create(DataType.FLOAT, 4, 6);
    }

    private static AdaptedModel inject(AdapterConfig config) {
        return AdaptedModel.inject(graph(), config);
    }

    private static AdapterConfig without(String... modules) {
        return LORA.withTargets(TargetSelector.allLinear().excluding(modules));
    }

    @Test
    void a_saved_module_is_its_weight_and_its_bias_and_gets_no_factors() {
        AdaptedModel model = inject(LORA.withModulesToSave("down_proj"));
        assertThat(model.trainableNames())
                .containsExactlyInAnyOrder(
                        ToyGraph.UP + ".lora_A.default.weight",
                        ToyGraph.UP + ".lora_B.default.weight",
                        DOWN + ".weight",
                        DOWN + ".bias");
        assertThat(model.trainableParameters()).isEqualTo(2 * (4 + 6) + 4 * 6 + 4);
        assertThat(model.summary()).contains(DOWN + ".bias", "whole");
    }

    @Test
    void modules_are_named_by_their_ends_by_what_is_above_them_by_expressions_and_by_tensors() {
        String[][] cases = {{"0"}, {"layers"}, {"model.layers.0.up_proj"}, {ToyGraph.UP + ".bias"}};
        int[] tensors = {4, 4, 2, 1};
        for (int i = 0; i < cases.length; i++) {
            SameDiff graph = graph();
            SDVariable other = graph.var("other.weight", Nd4j.rand(DataType.FLOAT, 4, 4));
            graph.mmul("o", graph.getVariable("out"), other).mean("loss2");
            AdaptedModel model = AdaptedModel.inject(
                    graph, LORA.withTargets(TargetSelector.suffixes("other")).withModulesToSave(cases[i]));
            assertThat(model.state().whole()).as(cases[i][0]).hasSize(tensors[i]);
        }
        assertThat(inject(without("down_proj")
                                .withWhole(WholeTensors.NONE.withModules(ModuleMatch.regex(".*down_proj"))))
                        .state()
                        .whole())
                .hasSize(2);
    }

    /** It would be saved as {@code base_layer.bias}, which neither modules_to_save nor bias of the saved configuration names. */
    @Test
    void a_part_of_an_adapted_layer_is_not_trained_whole_by_its_name() {
        for (ModuleMatch choice :
                List.of(ModuleMatch.names(List.of(DOWN + ".bias")), ModuleMatch.regex(".*down_proj\\.bias"))) {
            AdapterConfig config = LORA.withWhole(WholeTensors.NONE.withModules(choice));
            assertThatThrownBy(() -> inject(config))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("`" + DOWN + ".bias`")
                    .hasMessageContaining("lora_only");
            assertThat(inject(config.withTargets(TargetSelector.suffixes("up_proj")))
                            .state()
                            .whole())
                    .hasSize(1);
        }
        assertThat(inject(LORA.withModulesToSave(DOWN + ".bias").withBias(Bias.ALL))
                        .state()
                        .whole())
                .hasSize(2);
    }

    @Test
    void biases_are_those_of_adapted_layers_or_all() {
        assertThat(inject(without("down_proj").withBias(Bias.LORA_ONLY)).state().whole())
                .extracting(AdapterState.Whole::key)
                .containsExactly(ToyGraph.UP + ".bias");
        assertThat(inject(without("down_proj").withBias(Bias.ALL)).state().whole())
                .extracting(AdapterState.Whole::key)
                .containsExactly(DOWN + ".bias", ToyGraph.UP + ".bias");
    }

    @Test
    void a_bias_is_found_by_what_it_is_added_to_whatever_its_name() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 3);
        SDVariable w = graph.var("dense.weight", Nd4j.rand(DataType.FLOAT, 3, 5));
        SDVariable b = graph.var("onnx_Add_17", Nd4j.rand(DataType.FLOAT, 5));
        x.mmul("p", w).add("out", b).mean("loss");
        graph.setLossVariables("loss");
        AdaptedModel model = AdaptedModel.inject(graph, LORA.withBias(Bias.LORA_ONLY));
        assertThat(model.trainableNames()).contains("onnx_Add_17");
        assertThat(model.state().whole()).extracting(AdapterState.Whole::key).containsExactly("dense.bias");
    }

    @Test
    void states_hold_linear_weights_as_pytorch_does() {
        SameDiff graph = graph();
        INDArray up = graph.getArrForVarName(ToyGraph.UP + ".weight");
        INDArray down = graph.getArrForVarName(DOWN + ".weight");
        AdapterState ofUp =
                AdaptedModel.inject(graph, LORA.withModulesToSave("up_proj")).state();
        assertThat(ofUp.whole().get(1).tensor().shape()).containsExactly(6, 4);
        assertThatBits(ofUp.whole().get(1).tensor()).isEqualTo(up.transpose().dup('c'));
        AdapterState ofDown = inject(LORA.withModulesToSave("down_proj")).state();
        assertThatBits(ofDown.whole().get(1).tensor()).isEqualTo(down);
    }

    @Test
    void a_state_goes_into_another_graph_of_the_same_model() {
        AdaptedModel model = inject(LORA.withModulesToSave("down_proj").withBias(Bias.ALL));
        perturb(model);
        AdaptedModel again = AdaptedModel.inject(graph(), Map.of(), model.state());
        assertThatBits(output(again.graph())).isEqualTo(output(model.graph()));
        assertThat(again.trainableNames()).containsExactlyInAnyOrderElementsOf(model.trainableNames());
    }

    @Test
    void same_diff_trains_a_copy_and_never_the_callers_array() {
        SameDiff graph = graph();
        INDArray bias = graph.getArrForVarName(DOWN + ".bias");
        INDArray before = bias.dup();
        AdaptedModel model = AdaptedModel.inject(graph, LORA.withModulesToSave("down_proj"));
        fit(graph);
        assertThat(distance(graph.getArrForVarName(DOWN + ".bias"), before)).isGreaterThan(1e-3);
        INDArray trained = output(graph);
        model.disable();
        fit(graph); // nothing of the base is trainable now
        assertThat(graph.getArrForVarName(DOWN + ".bias")).isSameAs(bias);
        assertThatBits(bias).isEqualTo(before);
        model.enable();
        assertThat(distance(output(graph), trained)).isLessThan(1e-6);
        SameDiff merged = model.mergedGraph();
        assertThat(distance(output(merged), trained)).isLessThan(1e-6);
        SameDiff base = model.unload();
        assertThatBits(output(base)).isEqualTo(output(graph()));
        assertThat(distance(output(merged), trained)).isLessThan(1e-6);
    }

    @Test
    void two_adapters_have_heads_of_their_own_and_are_not_active_together() {
        AdaptedModel model = inject(LORA.withModulesToSave("down_proj"));
        perturb(model);
        INDArray first = output(model.graph());
        model.add(AdapterConfig.of(Pissa.rank(2))
                .withName("two")
                .withTargets(TargetSelector.suffixes("up_proj"))
                .withModulesToSave("down_proj"));
        model.activate("two");
        perturb(model);
        assertThat(distance(output(model.graph()), first)).isGreaterThan(1e-3);
        assertThatThrownBy(() -> model.activate("default", "two"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`" + DOWN + ".bias` is trained whole by the adapter `default`")
                .hasMessageContaining("only one of them can be active");
        assertThat(model.activeAdapterNames()).containsExactly("two");
        model.activate("default");
        assertThatBits(output(model.graph())).isEqualTo(first);
    }

    @Test
    void factors_of_one_adapter_start_from_the_true_weight_while_another_holds_it_whole() {
        AdaptedModel model = inject(LORA.withModulesToSave("down_proj"));
        perturb(model);
        AdapterConfig pissa = AdapterConfig.of(Pissa.rank(2)).withName("two");
        model.add(pissa);
        AdaptedModel alone = inject(pissa);
        model.activate("two");
        assertThatBits(output(model.graph())).isEqualTo(output(alone.graph()));
    }

    @Test
    void what_does_not_exist_is_refused_by_name() {
        assertThatThrownBy(() -> inject(LORA.withModulesToSave("down_proj", "classifier")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no module or tensor `classifier`")
                .hasMessageContaining(DOWN + ".weight")
                .hasMessageContaining("TaskHead");
        assertThatThrownBy(() -> inject(LORA.withModulesToSave("model")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("get no low-rank factors");
        assertThatThrownBy(() -> AdaptedModel.inject(
                        SharedGraph.create(SharedGraph.arrays(DataType.FLOAT, false)),
                        LORA.withTargets(TargetSelector.suffixes("v")).withBias(Bias.LORA_ONLY)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("bias is `lora_only`")
                .hasMessageContaining("v.bias");
    }

    @Test
    void a_tied_table_is_refused_by_both_its_names() {
        assertThatThrownBy(() -> AdaptedModel.inject(
                        SharedGraph.create(SharedGraph.arrays(DataType.FLOAT, false)), LORA.withModulesToSave("wte")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("tied weights");
    }

    @Test
    void a_state_with_another_head_is_refused_with_both_shapes() {
        AdapterState state = inject(LORA.withModulesToSave("up_proj")).state();
        AdapterState.Whole weight = state.whole().get(1);
        AdapterState other = new AdapterState(
                state.config(),
                state.sites(),
                List.of(new AdapterState.Whole(weight.key(), weight.variable(), Nd4j.zeros(DataType.FLOAT, 7, 4))),
                state.baseHash());
        assertThatThrownBy(() -> AdaptedModel.inject(graph(), Map.of(), other))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("[7, 4]")
                .hasMessageContaining("[6, 4]");
    }

    private static void perturb(AdaptedModel model) {
        Random random = new Random(model.adapters().size());
        Map<String, INDArray> values = model.trainables();
        values.values()
                .forEach(value -> value.addi(
                        ToyGraph.random(random, DataType.FLOAT, value.shape()).mul(0.1)));
        model.restore(values);
    }

    private static void fit(SameDiff graph) {
        graph.setTrainingConfig(new TrainingConfig.Builder()
                .updater(new Sgd(0.1))
                .dataSetFeatureMapping("x")
                .dataSetLabelMapping("y")
                .build());
        INDArray x = ToyGraph.random(new Random(1), DataType.FLOAT, 5, 4);
        INDArray y = ToyGraph.random(new Random(2), DataType.FLOAT, 5, 4);
        graph.fit(new SingletonMultiDataSetIterator(new MultiDataSet(x, y)), 3);
    }

    private static INDArray output(SameDiff graph) {
        return graph.outputSingle(Map.of("x", ToyGraph.random(new Random(3), DataType.FLOAT, 5, 4)), "out");
    }

    private static double distance(INDArray a, INDArray b) {
        return a.sub(b).normmaxNumber().doubleValue();
    }
}
