package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.graph.AdapterTensors;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.ToyGraph;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Rows of an embedding's table, and whole tables: their gradients, who sees them, what is refused. */
class TrainableTokensTest {
    private static final String TABLE = EmbeddingGraph.TOKENS + ".weight";
    private static final AdapterConfig LORA =
            AdapterConfig.of(Lora.rank(2)).withTargets(TargetSelector.suffixes("mlp"));

    /** Rows that are looked up often and never, of a table with a tied head and of one without; a whole table. */
    static Stream<Arguments> cases() {
        return Stream.of(
                        LORA.withTrainableTokens(3, 0, 11),
                        LORA.withTrainableTokens(12),
                        LORA.withTrainableTokens("wpe", 2, 5),
                        LORA.withTrainableTokens(1, 2).withTrainableTokens("wpe", 0),
                        LORA.withModulesToSave("wpe"),
                        LORA.withTrainableTokens(3, 1).withModulesToSave("wpe"))
                .flatMap(config -> Stream.of(EngineOptions.defaults(), EngineOptions.reference())
                        .map(engine -> Arguments.of(config, engine)));
    }

    private static AdaptedModel moved(SameDiff graph, AdapterConfig config) {
        AdaptedModel model = AdaptedModel.inject(graph, config);
        move(model);
        return model;
    }

    private static void move(AdaptedModel model) {
        Random random = new Random(5);
        Map<String, INDArray> values = model.trainables();
        values.values()
                .forEach(value -> value.addi(
                        ToyGraph.random(random, value.dataType(), value.shape()).mul(0.3)));
        model.restore(values);
    }

    private static Map<String, INDArray> feeds(DataType type, boolean negative) {
        Map<String, INDArray> feeds = new HashMap<>(EmbeddingGraph.feeds(type));
        if (negative) { // the same rows, counted from the end
            feeds.put("ids", feeds.get("ids").sub(EmbeddingGraph.VOCABULARY));
        }
        return feeds;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void gradients_are_the_finite_differences(AdapterConfig config, EngineOptions options) {
        AdaptedModel model = moved(EmbeddingGraph.create(DataType.FLOAT), config);
        AdaptedModel exact = moved(EmbeddingGraph.create(DataType.DOUBLE), config);
        try (Engine engine = Engines.open(model.graph(), "loss", model.trainableNames(), options)) {
            Map<String, INDArray> gradients =
                    engine.gradients(feeds(DataType.FLOAT, false)).byName();
            Map<String, INDArray> fromTheEnd =
                    engine.gradients(feeds(DataType.FLOAT, true)).byName();
            assertThatBits(fromTheEnd).isEqualTo(gradients);
            assertThat(engine.report().flatMap(report -> report.notCompiled())).isEmpty();
            for (String name : model.trainableNames()) {
                INDArray gradient = gradients.get(name);
                double largest = gradient.amaxNumber().doubleValue();
                assertThat(largest).as(name).isPositive();
                INDArray values = exact.graph().getArrForVarName(name);
                for (int place = 0; place < values.length(); place++) {
                    double difference = difference(exact, values, place);
                    assertThat(gradient.dup('c').data().getDouble(place))
                            .as("%s at %d", name, place)
                            .isCloseTo(difference, within(1e-4 * Math.max(largest, 1e-3)));
                }
            }
        }
    }

    private static double difference(AdaptedModel model, INDArray values, int place) {
        double before = values.data().getDouble(place);
        double step = 1e-5;
        values.data().put(place, before + step);
        double above = loss(model.graph());
        values.data().put(place, before - step);
        double below = loss(model.graph());
        values.data().put(place, before);
        return (above - below) / (2 * step);
    }

    private static double loss(SameDiff graph) {
        return graph.output(feeds(DataType.DOUBLE, false), "loss").get("loss").getDouble(0);
    }

    /** SameDiff's own gradient of a product with a [1,1] result is wrong where it transposes. */
    @Test
    void one_row_for_one_token_has_the_right_gradient() {
        for (EngineOptions options : List.of(EngineOptions.defaults(), EngineOptions.reference())) {
            AdaptedModel model = moved(oneToken(DataType.FLOAT), LORA.withTrainableTokens(1));
            AdaptedModel exact = moved(oneToken(DataType.DOUBLE), LORA.withTrainableTokens(1));
            String name = AdapterTensors.rows("wte", "default");
            try (Engine engine = Engines.open(model.graph(), "loss", model.trainableNames(), options)) {
                INDArray gradient = engine.gradients(Map.of("ids", Nd4j.createFromArray(1)))
                        .byName()
                        .get(name);
                INDArray values = exact.graph().getArrForVarName(name);
                for (int place = 0; place < 3; place++) {
                    double before = values.data().getDouble(place);
                    values.data().put(place, before + 1e-5);
                    double above = one(exact);
                    values.data().put(place, before - 1e-5);
                    double below = one(exact);
                    values.data().put(place, before);
                    assertThat(gradient.getDouble(place)).isCloseTo((above - below) / 2e-5, within(1e-4));
                }
            }
        }
    }

    private static double one(AdaptedModel model) {
        return model.graph()
                .output(Map.of("ids", Nd4j.createFromArray(1)), "loss")
                .get("loss")
                .getDouble(0);
    }

    private static SameDiff oneToken(DataType type) {
        Random random = new Random(3);
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("ids", DataType.INT, -1);
        SDVariable table = graph.constant("wte.weight", ToyGraph.random(random, type, 4, 3));
        SDVariable w = graph.constant("mlp.weight", ToyGraph.random(random, type, 3, 3));
        SDVariable h = graph.math.tanh("h", graph.mmul("z", graph.gather("x", table, ids, 0), w));
        SDVariable logits = graph.mmul("logits", h, table, false, true, false);
        logits.mul("squares", logits).sum("loss");
        graph.setLossVariables("loss");
        return graph;
    }

    @Test
    void the_start_changes_nothing_and_names_are_those_of_peft() {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        INDArray before = logits(graph);
        AdaptedModel model = AdaptedModel.inject(graph, LORA.withTrainableTokens(3, 12));
        assertThatBits(logits(graph)).isEqualTo(before);
        assertThat(model.trainableNames())
                .contains(EmbeddingGraph.TOKENS + ".token_adapter.trainable_tokens_delta.default");
        assertThat(model.state().whole()).singleElement().satisfies(whole -> {
            assertThat(whole.key()).isEqualTo(TABLE);
            assertThat(whole.rows()).containsExactly(3, 12);
            assertThatBits(whole.tensor())
                    .isEqualTo(graph.getArrForVarName(TABLE).getRows(3, 12).dup('c'));
        });
        assertThat(model.summary()).contains("rows").contains(TABLE);
    }

    @Test
    void merged_rows_are_those_that_were_trained_and_every_other_row_keeps_its_bits() {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        INDArray table = graph.getArrForVarName(TABLE);
        INDArray before = table.dup();
        AdaptedModel model = moved(graph, LORA.withTrainableTokens(3, 12));
        INDArray adapted = logits(graph);
        INDArray rows = model.state().whole().get(0).tensor();
        INDArray expected = before.dup();
        expected.putRow(3, rows.getRow(0));
        expected.putRow(12, rows.getRow(1));
        assertThatBits(model.mergedWeights().get(TABLE)).isEqualTo(expected);
        model.merge();
        assertThatBits(graph.getArrForVarName(TABLE)).isEqualTo(expected);
        assertThat(distance(logits(graph), adapted)).isLessThan(1e-5);
        model.unmerge();
        assertThatBits(logits(graph)).isEqualTo(adapted);
        assertThat(distance(logits(model.mergedGraph()), adapted)).isLessThan(1e-5);
        assertThat(model.unload().getArrForVarName(TABLE)).isSameAs(table);
        assertThatBits(table).isEqualTo(before);
    }

    /** Exporters write a tied head as a matrix of its own, the table's transpose. */
    @Test
    void a_head_with_the_tables_numbers_is_tied_too() {
        for (boolean turned : new boolean[] {true, false}) {
            SameDiff tied = EmbeddingGraph.create(DataType.FLOAT);
            SameDiff copied = copied(turned);
            AdapterConfig config = LORA.withTrainableTokens(3, 12);
            AdaptedModel one = moved(tied, config);
            AdaptedModel other = moved(copied, config);
            assertThat(distance(logits(copied), logits(tied))).isLessThan(1e-5);
            INDArray rows = one.mergedWeights().get(TABLE);
            INDArray head = other.mergedWeights().get("lm_head.weight");
            assertThatBits(turned ? head.transpose().dup('c') : head).isEqualTo(rows);
            assertThat(distance(logits(other.mergedGraph()), logits(tied))).isLessThan(1e-5);
            other.merge();
            assertThat(distance(logits(copied), logits(tied))).isLessThan(1e-5);
        }
    }

    /** The graph whose head has an array of its own, [dim, vocabulary] if turned. */
    private static SameDiff copied(boolean turned) {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        INDArray table = graph.getArrForVarName(TABLE);
        SDVariable head =
                graph.constant("lm_head.weight", turned ? table.transpose().dup('c') : table.dup());
        SDVariable logits = graph.mmul("own", graph.getVariable("a"), head, false, !turned, false);
        graph.setLossVariables(
                logits.sub(graph.getVariable("y")).mean("own_loss").name());
        new GraphEditor(graph).removeWithProducers(List.of("loss", "squares", "error", "logits"));
        logits.rename("logits");
        return graph;
    }

    @Test
    void what_cannot_be_is_refused_by_name() {
        refused(LORA.withTrainableTokens(3, 13), "token 13 is no row", TABLE.replace(".weight", ""), "0 to 12");
        refused(LORA.withTrainableTokens("embed_tokens", 3), "no embedding `embed_tokens`", "transformer.wte");
        refused(LORA.withTrainableTokens("wpe", 1).withModulesToSave("wpe"), "trained whole, and rows of it");
        refused(LORA.withModulesToSave("wte"), "tied weights", "withTrainableTokens");
        assertThatThrownBy(() -> LORA.withTrainableTokens(3, 3))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("3 is named twice");
        assertThatThrownBy(() -> LORA.withTrainableTokens(-1))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("-1 is below zero");
        assertThatThrownBy(() -> LORA.withTrainableTokens())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("empty");
        SameDiff foreign = EmbeddingGraph.create(DataType.FLOAT);
        foreign.getVariable(TABLE).mean("used_otherwise", 0);
        assertThatThrownBy(() -> AdaptedModel.inject(foreign, LORA.withTrainableTokens(1)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("reduce_mean")
                .hasMessageContaining("old rows");
    }

    private static void refused(AdapterConfig config, String... parts) {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        int variables = graph.variables().size();
        assertThatThrownBy(() -> AdaptedModel.inject(graph, config))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll(parts);
        assertThat(graph.variables()).hasSize(variables);
    }

    @Test
    void a_layer_that_is_tied_to_trained_rows_gets_no_factors() {
        AdaptedModel model = AdaptedModel.inject(
                EmbeddingGraph.create(DataType.FLOAT),
                AdapterConfig.of(Lora.rank(2))
                        .withTargets(TargetSelector.suffixes("mlp", "wte"))
                        .withTrainableTokens(1));
        assertThat(model.sites()).extracting(AdaptedSite::module).containsExactly(EmbeddingGraph.LINEAR);
    }

    private static INDArray logits(SameDiff graph) {
        return graph.output(feeds(DataType.FLOAT, false), "logits")
                .get("logits")
                .dup();
    }

    private static double distance(INDArray a, INDArray b) {
        return a.sub(b).normmaxNumber().doubleValue();
    }
}
