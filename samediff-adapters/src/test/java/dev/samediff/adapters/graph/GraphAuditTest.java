package dev.samediff.adapters.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.ToyGraph;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.loss.LossReduce;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** Ops of ND4J 1.0.0-M2.1 that compare wrong with finite differences or torch's autograd (facts in docs). */
class GraphAuditTest {
    static Stream<Arguments> wrongOps() {
        return Stream.of(
                wrong("cumsum", v -> v.getSameDiff().cumsum("bad", v, false, false, 1)),
                wrong(
                        "gather",
                        v -> v.getSameDiff().gather("bad", v, v.getSameDiff().constant(Nd4j.createFromArray(0, 1)), 0)),
                wrong("var", v -> v.getSameDiff().variance("bad", v, false, 1)),
                wrong("reduce_mean", v -> v.getSameDiff().mean("bad", v, true, -1)),
                wrong("reduce_sum", v -> v.getSameDiff().sum("bad", v, true, -1)),
                wrong("reduce_max", v -> v.getSameDiff().max("bad", v, true, -1)),
                wrong(
                        "sparse_softmax_cross_entropy_loss_with_logits",
                        v -> v.getSameDiff()
                                .loss
                                .sparseSoftmaxCrossEntropy( // a mean comes after it
                                        "bad", v, v.getSameDiff().placeHolder("labels", DataType.INT32, -1))));
    }

    @ParameterizedTest
    @MethodSource("wrongOps")
    void an_op_with_a_wrong_gradient_on_the_way_is_refused(String type, UnaryOperator<SDVariable> op) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, 11);
        op.apply(graph.getVariable("out")).mean("new_loss");
        graph.setLossVariables("loss"); // without those that SameDiff adds by itself
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        assertThatThrownBy(() -> model.useLoss("new_loss"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("bad")
                .hasMessageContaining("cannot be trained correctly");
        assertThat(GraphAudit.check(graph, List.of("new_loss"), model.trainableNames()))
                .singleElement()
                .satisfies(f -> assertThat(f.variable()).startsWith("bad"));
    }

    @Test
    void injection_into_a_graph_with_such_a_loss_leaves_it_unchanged() {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, 11);
        graph.cumsum("bad", graph.getVariable("out"), false, false, 1).mean("new_loss");
        graph.setLossVariables("new_loss");
        List<String> names = graph.variables().stream().map(v -> v.name()).toList();
        assertThatThrownBy(() -> AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2))))
                .hasMessageContaining("`bad`");
        assertThat(graph.variables().stream().map(v -> v.name())).isEqualTo(names);
    }

    @Test
    void the_same_ops_are_fine_where_no_gradient_flows() {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, 11);
        SDVariable frozen = graph.cumsum("of_input", graph.getVariable("x"), false, false, 1);
        SDVariable table = graph.constant(Nd4j.ones(DataType.FLOAT, 8, 8));
        SDVariable row = graph.gather("embedding", table, graph.constant(Nd4j.createFromArray(1)), 0);
        graph.getVariable("out").add(frozen).add(row).mean("new_loss");
        graph.cumsum("beside_the_loss", graph.getVariable("out"), false, false, 1);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        model.useLoss("new_loss");
        assertThat(GraphAudit.check(graph, List.of("new_loss"), model.trainableNames()))
                .isEmpty();
    }

    @Test
    void inaccurate_ops_are_a_note_only() {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, 11);
        graph.nn.gelu("approximate", graph.getVariable("out")).mean("new_loss");
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        model.useLoss("new_loss");
        assertThat(GraphAudit.check(graph, List.of("new_loss"), model.trainableNames()))
                .singleElement()
                .satisfies(f -> assertThat(f.severity()).isEqualTo(GraphAudit.Severity.NOTE));
    }

    @Test
    void a_loss_of_samediff_may_be_summed_but_not_scaled() {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, 11);
        SDVariable out = graph.getVariable("out");
        SDVariable mse = graph.loss.meanSquaredError(
                "mse", graph.constant(Nd4j.ones(DataType.FLOAT, 1, 11)), out, null, LossReduce.MEAN_BY_WEIGHT);
        mse.add(out.mul(out).mean()).rename("summed");
        mse.mul(2).rename("scaled");
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        List<String> trainables = model.trainableNames();
        assertThat(GraphAudit.check(graph, List.of("mse"), trainables)).isEmpty();
        assertThat(GraphAudit.check(graph, List.of("summed"), trainables)).isEmpty();
        assertThat(GraphAudit.check(graph, List.of("scaled"), trainables))
                .singleElement()
                .satisfies(finding -> assertThat(finding.toString()).contains("mse", "ignores what comes after it"));
    }

    @Test
    void positive_axes_and_corrected_variance_pass() {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, 11);
        SDVariable out = graph.getVariable("out");
        out.sub(out.mean("m", true, 1))
                .mul(graph.variance("v", out, true, 1).mean())
                .mean("new_loss");
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        model.useLoss("new_loss");
        assertThat(model.lossVariables("new_loss")).containsExactly("new_loss");
    }

    private static Arguments wrong(String type, UnaryOperator<SDVariable> op) {
        return Arguments.of(type, op);
    }
}
