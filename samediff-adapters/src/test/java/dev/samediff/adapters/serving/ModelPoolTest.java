package dev.samediff.adapters.serving;

import static dev.samediff.adapters.serving.ServedGpt.LOGITS;
import static dev.samediff.adapters.serving.ServedGpt.answer;
import static dev.samediff.adapters.serving.ServedGpt.assertClose;
import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.AdapterSum;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.ExpertGraph;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class ModelPoolTest {
    private final ServedGpt served = new ServedGpt();

    static List<AdapterConfig> configs() {
        List<AdapterConfig> configs = new ArrayList<>();
        for (AdapterMethod method : List.of(
                Lora.rank(4).withAlpha(8),
                Lora.rank(3).withRankStabilizedScaling(),
                OLora.rank(4),
                Pissa.rank(4),
                Sorsa.rank(4))) {
            configs.add(AdapterConfig.of(method));
        }
        configs.add(AdapterConfig.of(Lora.rank(2)).withModulesToSave("h.1.mlp.c_fc", "ln_f"));
        configs.add(AdapterConfig.of(Pissa.rank(2)).withBias(WholeTensors.Bias.ALL));
        configs.add(AdapterConfig.of(Sorsa.rank(2))
                .withTargets(TargetSelector.suffixes("c_attn", "c_proj"))
                .withBias(WholeTensors.Bias.LORA_ONLY));
        return configs;
    }

    @ParameterizedTest
    @MethodSource("configs")
    void an_adapter_of_any_method_is_answered_as_by_a_graph_that_has_it_alone(AdapterConfig config) {
        AdapterState state = served.trained(config, 1);
        Map<String, INDArray> inputs = served.gpt.inputs(3, 7, 2);
        try (ModelPool pool = served.open(PoolOptions.defaults())) {
            INDArray before = answer(pool, inputs);
            pool.put("one", state);
            assertClose(answer(pool, "one", inputs), served.expected(state, inputs), 1e-5);
            assertThatBits(answer(pool, inputs)).isEqualTo(before);
            assertThat(answer(pool, "one", inputs).sub(before).amaxNumber().doubleValue())
                    .isGreaterThan(0.05);
        }
    }

    @Test
    void a_request_that_begins_after_an_adapter_was_replaced_is_answered_by_the_new_one() {
        Map<String, INDArray> inputs = served.gpt.inputs(1, 4, 3);
        AdapterState one = served.lora(1);
        AdapterState two = served.lora(2);
        try (ModelPool pool = served.open(PoolOptions.defaults().withWorkers(2))) {
            for (AdapterState state : List.of(one, two, one, two)) {
                pool.put("x", state);
                assertClose(answer(pool, "x", inputs), served.expected(state, inputs), 1e-5);
            }
        }
    }

    /** Constants of adapters have the same names in graphs of different forms, and not the same numbers. */
    @Test
    void adapters_that_train_other_rows_of_a_table_do_not_take_each_others_places() {
        SameDiff words = EmbeddingGraph.create(DataType.FLOAT);
        String output = "logits";
        Map<String, INDArray> inputs = EmbeddingGraph.feeds(DataType.FLOAT);
        AdapterConfig lora = AdapterConfig.of(Lora.rank(2)).withTargets(TargetSelector.suffixes("mlp"));
        try (ModelPool pool = ModelPool.open(words, Map.of(), PoolOptions.defaults())) {
            for (int[] rows : new int[][] {{3, 0, 11}, {1, 2, 5}, {3, 0, 11}, {0, 3, 11}}) {
                AdaptedModel model = AdaptedModel.inject(SharingCopy.of(words), lora.withTrainableTokens(rows));
                Map<String, INDArray> values = model.trainables();
                values.values().forEach(array -> array.addi(0.3 * rows[0] + 0.2));
                model.restore(values);
                pool.put("rows " + rows[0], model.state());
                try (Engine engine = Engines.forOutputs(model.graph(), EngineOptions.reference())) {
                    INDArray expected = engine.outputs(inputs, List.of(output)).get(output);
                    INDArray found = pool.outputs("rows " + rows[0], inputs, List.of(output))
                            .get(output);
                    assertClose(found, expected, 1e-5);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void experts_in_one_tensor_are_served_and_added_up(boolean residual) {
        SameDiff graph = ExpertGraph.stacked(DataType.FLOAT);
        Map<String, INDArray> inputs = Map.of("x", Nd4j.rand(DataType.FLOAT, 5, ExpertGraph.IN));
        AdaptedModel model =
                AdaptedModel.inject(SharingCopy.of(graph), AdapterConfig.of(residual ? Pissa.rank(2) : Lora.rank(2)));
        Map<String, INDArray> values = model.trainables();
        values.values()
                .forEach(array ->
                        array.addi(Nd4j.randn(DataType.FLOAT, array.shape()).muli(0.3)));
        model.restore(values);
        AdapterState half = AdapterSum.of("half", List.of(new AdapterSum.Weighted(model.state(), 0.5)));
        AdapterState sum = AdapterSum.of(
                "sum", List.of(new AdapterSum.Weighted(half, 1), new AdapterSum.Weighted(half.withName("b"), 1)));
        try (ModelPool pool = ModelPool.open(graph, Map.of(), PoolOptions.defaults());
                Engine engine = Engines.forOutputs(model.graph(), EngineOptions.reference())) {
            INDArray expected = engine.outputs(inputs, List.of("y")).get("y");
            for (AdapterState state : List.of(model.state(), sum)) {
                pool.put("x", state);
                assertClose(pool.outputs("x", inputs, List.of("y")).get("y"), expected, 1e-5);
            }
        }
    }

    @Test
    void the_callers_graph_is_neither_changed_nor_copied() {
        Map<String, INDArray> before = arrays(served.gpt.graph);
        List<String> variables =
                served.gpt.graph.variables().stream().map(SDVariable::toString).toList();
        try (ModelPool pool = served.open(PoolOptions.defaults())) {
            pool.put("one", served.trained(AdapterConfig.of(Pissa.rank(2)).withBias(WholeTensors.Bias.ALL), 1));
            answer(pool, "one", served.gpt.inputs(2, 5, 6));
            for (String weight : served.gpt.weights) {
                assertThat(pool.graph().getVariable(weight).getArr().data())
                        .isSameAs(served.gpt.graph.getVariable(weight).getArr().data());
            }
        }
        assertThatBits(arrays(served.gpt.graph)).isEqualTo(before);
        assertThat(served.gpt.graph.variables().stream().map(SDVariable::toString))
                .containsExactlyElementsOf(variables);
    }

    private static Map<String, INDArray> arrays(SameDiff graph) {
        Map<String, INDArray> copies = new HashMap<>();
        graph.variables().stream()
                .filter(variable -> variable.getArr() != null)
                .forEach(variable ->
                        copies.put(variable.name(), variable.getArr().dup('c')));
        return copies;
    }

    @Test
    void what_is_not_there_is_refused_by_name_and_takes_nobody_s_turn() {
        Map<String, INDArray> inputs = served.gpt.inputs(1, 4, 3);
        try (ModelPool pool = served.open(PoolOptions.defaults().withWorkers(1))) {
            pool.put("support", served.lora(1));
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> answer(pool, "sales", inputs))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessage("there is no adapter `sales` in the pool; it has support");
                assertThatThrownBy(() -> pool.outputs("support", inputs, List.of("scores")))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("no variable `scores`")
                        .hasMessageContaining(LOGITS);
                assertThatThrownBy(() -> answer(pool, "support", Map.of("input_ids", Nd4j.ones(1, 4))))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("causal");
            }
            assertThat(pool.remove("support")).isTrue();
            assertThat(pool.remove("support")).isFalse();
            assertThat(pool.adapters()).isEmpty();
            assertThatThrownBy(() -> answer(pool, "support", inputs)).hasMessageContaining("it has none");
        }
    }

    @Test
    void an_adapter_of_another_model_is_refused_and_the_former_one_stays() {
        TinyGpt other = new TinyGpt(32, 1, 2, 29, 0);
        Map<String, INDArray> inputs = served.gpt.inputs(1, 4, 3);
        AdapterState fitting = served.lora(1);
        served.gpt.graph.getVariable(served.gpt.weights.get(0)).getArr().muli(2);
        AdapterState changed = served.lora(1);
        served.gpt.graph.getVariable(served.gpt.weights.get(0)).getArr().divi(2);
        try (ModelPool pool = ModelPool.open(other.graph, Map.of(), PoolOptions.defaults())) {
            assertThatThrownBy(() -> pool.put("x", fitting))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("h.1.");
        }
        try (ModelPool pool = served.open(PoolOptions.defaults())) {
            pool.put("x", fitting);
            INDArray before = answer(pool, "x", inputs);
            assertThatThrownBy(() -> pool.put("x", changed))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("another base model");
            assertThatBits(answer(pool, "x", inputs)).isEqualTo(before);
        }
    }

    @Test
    void a_graph_with_adapters_is_served_as_it_is_and_takes_no_others() {
        AdapterState other = served.lora(1);
        AdaptedModel model = AdaptedModel.inject(served.gpt.graph, Map.of(), served.lora(5));
        Map<String, INDArray> inputs = served.gpt.inputs(2, 5, 6);
        try (ModelPool pool = served.open(PoolOptions.defaults());
                Engine engine = Engines.forOutputs(model.graph(), EngineOptions.reference())) {
            INDArray expected = engine.outputs(inputs, List.of(LOGITS)).get(LOGITS);
            model.disable();
            assertClose(answer(pool, inputs), expected, 1e-5);
            assertThatThrownBy(() -> pool.put("x", other))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("open it with the base model");
        }
    }
}
