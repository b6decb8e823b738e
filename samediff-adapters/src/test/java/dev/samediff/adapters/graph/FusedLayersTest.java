package dev.samediff.adapters.graph;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Conv2DConfig;
import org.nd4j.linalg.factory.Nd4j;

/** Layers as SameDiff's own methods write them: adapted, or named with the reason. */
class FusedLayersTest {
    private static final INDArray X =
            Nd4j.linspace(DataType.FLOAT, -1, 0.13, 15).reshape(3, 5);

    private static INDArray numbers(long... shape) {
        return Nd4j.linspace(
                        DataType.FLOAT,
                        -0.8,
                        0.07,
                        java.util.Arrays.stream(shape).reduce(1, (a, b) -> a * b))
                .reshape(shape);
    }

    /** {@code head(relu(x ff + b))} of {@code sd.nn.reluLayer} and {@code sd.nn.linear}. */
    private static SameDiff own() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 5);
        SDVariable hidden = graph.nn()
                .reluLayer("hidden", x, graph.var("ff.weight", numbers(5, 7)), graph.var("ff.bias", numbers(7)));
        graph.nn().linear("y", hidden, graph.var("head.weight", numbers(7, 4)), graph.var("head.bias", numbers(4)));
        return graph;
    }

    private static INDArray y(SameDiff graph) {
        return graph.output(Map.of("x", X), "y").get("y");
    }

    @Test
    void linear_and_relu_layers_are_sites_by_the_names_of_their_weights() {
        assertThat(LinearSites.scan(own())).extracting(LinearSite::module).containsExactly("ff", "head");
        assertThat(LinearSites.scan(own())).extracting(LinearSite::in).containsExactly(5, 7);
    }

    @Test
    void taken_apart_they_compute_the_same_and_keep_their_names() {
        SameDiff graph = own();
        INDArray before = y(graph);
        FusedLayers.takeApart(graph);
        assertThatBits(y(graph)).isEqualTo(before);
        assertThat(graph.getOps().values())
                .extracting(op -> op.getOp().opName())
                .doesNotContain("xw_plus_b", "relu_layer");
        assertThatBits(y(graph.dup())).isEqualTo(before);
        FusedLayers.takeApart(graph);
        assertThatBits(y(graph)).isEqualTo(before);
    }

    @Test
    void adapters_go_before_the_relu_and_merge_into_the_weights() {
        for (var method : List.of(Lora.rank(2), Sorsa.rank(2))) {
            SameDiff graph = own();
            INDArray before = y(graph);
            AdaptedModel model =
                    AdaptedModel.inject(graph, AdapterConfig.of(method).withTargets(TargetSelector.allLinear()));
            assertThat(model.sites()).hasSize(2);
            assertThat(y(graph).sub(before).amaxNumber().doubleValue()).isLessThan(1e-4);
            for (String name : model.trainableNames()) {
                INDArray values = graph.getVariable(name).getArr();
                values.addi(0.3);
            }
            INDArray adapted = y(graph);
            assertThat(adapted.sub(before).amaxNumber().doubleValue()).isGreaterThan(1e-2);
            model.merge();
            assertThat(y(graph).sub(adapted).amaxNumber().doubleValue()).isEqualTo(0, within(1e-3));
            model.unload();
            assertThat(y(graph).sub(before).amaxNumber().doubleValue()).isLessThan(1e-6);
        }
    }

    @Test
    void weights_inside_of_other_ops_are_named_with_the_reason() {
        SameDiff graph = own();
        SDVariable image = graph.placeHolder("image", DataType.FLOAT, -1, 3, 8, 8);
        graph.cnn()
                .conv2d(
                        "conv",
                        image,
                        graph.var("conv.weight", numbers(2, 2, 3, 4)),
                        Conv2DConfig.builder().kH(2).kW(2).build());
        AdaptedModel model =
                AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(1)).withTargets(TargetSelector.allLinear()));
        assertThat(model.leftOut().values().iterator().next()).singleElement().satisfies(rejected -> {
            assertThat(rejected.module()).isEqualTo("conv");
            assertThat(rejected.reason()).contains("kernel of a convolution");
        });
    }

    @Test
    void a_graph_without_any_layer_to_adapt_says_why() {
        SameDiff graph = SameDiff.create();
        SDVariable image = graph.placeHolder("image", DataType.FLOAT, -1, 3, 8, 8);
        graph.cnn()
                .conv2d(
                        "conv",
                        image,
                        graph.var("conv.weight", numbers(2, 2, 3, 4)),
                        Conv2DConfig.builder().kH(2).kW(2).build());
        assertThatThrownBy(() -> AdaptedModel.inject(
                        graph, AdapterConfig.of(Lora.rank(1)).withTargets(TargetSelector.allLinear())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`conv`")
                .hasMessageContaining("kernel of a convolution");
    }

    @Test
    void attention_of_several_heads_as_one_op_is_named_with_the_reason() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 6, 5);
        graph.nn()
                .multiHeadDotProductAttention(
                        "y",
                        x,
                        x,
                        x,
                        graph.var("wq", numbers(2, 3, 6)),
                        graph.var("wk", numbers(2, 3, 6)),
                        graph.var("wv", numbers(2, 3, 6)),
                        graph.var("wo", numbers(6, 6)),
                        null,
                        true);
        assertThat(LinearSites.layers(graph, Map.of()).rejected())
                .extracting(LinearLayers.Rejected::weight)
                .containsExactlyInAnyOrder("wq", "wk", "wv", "wo");
    }

    @Test
    void products_by_stacks_of_stacks_and_by_computed_matrices_are_named_with_the_reason() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, 2, 3, -1, 5);
        graph.mmul("a", x, graph.var("stacks.weight", numbers(2, 3, 5, 4)));
        SDVariable rows = graph.placeHolder("rows", DataType.FLOAT, -1, 5);
        SDVariable normed = graph.var("norm.weight", numbers(5, 4)).mul("normed", 2.0);
        graph.mmul("b", rows, normed);
        assertThat(LinearSites.layers(graph, Map.of()).rejected())
                .extracting(LinearLayers.Rejected::module)
                .containsExactlyInAnyOrder("stacks", "norm");
        assertThat(LinearSites.layers(graph, Map.of()).rejected())
                .extracting(LinearLayers.Rejected::reason)
                .anyMatch(reason -> reason.contains("several matrices [2, 3, 5, 4]"))
                .anyMatch(reason -> reason.contains("multiplies by what"));
    }

    @Test
    void a_layer_that_is_used_on_stored_numbers_too_is_adapted_in_both_places() {
        SameDiff graph = SameDiff.create();
        SDVariable weight = graph.var("key.weight", numbers(5, 4));
        SDVariable q = graph.mmul("q", graph.placeHolder("x", DataType.FLOAT, -1, 5), weight);
        SDVariable table = graph.mmul("k", graph.constant("table", numbers(6, 5)), weight);
        graph.mmul("y", q, table, false, true, false);
        LinearLayers layers = LinearSites.layers(graph, Map.of());
        assertThat(layers.sites())
                .singleElement()
                .satisfies(site -> assertThat(site.uses()).hasSize(2));
        assertThat(layers.rejected()).isEmpty();
    }
}
