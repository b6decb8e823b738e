package dev.samediff.adapters.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.ToyGraph;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

class LinearSitesTest {
    private final SameDiff graph = SameDiff.create();
    private final SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 4);

    @Test
    void finds_both_orientations_with_their_features() {
        assertThat(LinearSites.scan(ToyGraph.create(DataType.FLOAT, 8, 11)))
                .extracting(LinearSite::module, LinearSite::orientation, LinearSite::in, LinearSite::out)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(ToyGraph.UP, Orientation.IN_OUT, 8, 11),
                        org.assertj.core.groups.Tuple.tuple(ToyGraph.DOWN, Orientation.OUT_IN, 11, 8));
    }

    @Test
    void a_weight_of_several_matmuls_is_one_site() {
        SDVariable w = graph.var("w", Nd4j.ones(DataType.FLOAT, 4, 4));
        graph.mmul("b", graph.mmul("a", x, w), w);
        assertThat(LinearSites.scan(graph))
                .singleElement()
                .satisfies(site -> assertThat(site.uses())
                        .extracting(LinearSite.Use::input, LinearSite.Use::output)
                        .containsExactly(
                                org.assertj.core.groups.Tuple.tuple("x", "a"),
                                org.assertj.core.groups.Tuple.tuple("a", "b")));
    }

    @Test
    void constants_are_weights_and_products_of_activations_are_not_layers() {
        SDVariable w = graph.constant("w", Nd4j.ones(DataType.FLOAT, 4, 4));
        SDVariable v = graph.var("v", Nd4j.ones(DataType.FLOAT, 4, 4));
        SDVariable y = graph.mmul("y", x, w);
        graph.mmul("attention", x, y, false, true, false);
        graph.mmul("folded", v, v);
        assertThat(LinearSites.scan(graph)).extracting(LinearSite::weight).containsExactly("w");
    }

    @Test
    void names_come_from_the_map_or_the_weight() {
        graph.mmul("a", x, graph.var("onnx::MatMul_7", Nd4j.ones(DataType.FLOAT, 4, 4)));
        graph.mmul("b", x, graph.var("h.0.c_fc.weight", Nd4j.ones(DataType.FLOAT, 4, 4)));
        graph.mmul("c", x, graph.var("dense/kernel", Nd4j.ones(DataType.FLOAT, 4, 4)));
        assertThat(LinearSites.scan(graph, Map.of("onnx::MatMul_7", "h.0.attn")))
                .extracting(LinearSite::module)
                .containsExactly("h.0.attn", "h.0.c_fc", "dense");
        assertThatThrownBy(() -> LinearSites.scan(graph, Map.of("nope", "m")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`nope`");
    }

    @Test
    void a_weight_with_other_readers_is_rejected_with_the_reason() {
        SDVariable table = graph.var("wte.weight", Nd4j.ones(DataType.FLOAT, 6, 4));
        SDVariable ids = graph.placeHolder("ids", DataType.INT32, -1);
        graph.mmul("logits", graph.gather("embedded", table, ids, 0), table, false, true, false);
        LinearLayers layers = LinearSites.layers(graph, Map.of("wte.weight", "lm_head"));
        assertThat(layers.sites()).isEmpty();
        assertThat(layers.rejected()).singleElement().satisfies(rejected -> {
            assertThat(rejected.module()).isEqualTo("lm_head");
            assertThat(rejected.reason()).contains("gather").contains("tied");
        });
    }

    @Test
    void other_products_are_rejected_with_the_reason() {
        SDVariable left = graph.var("left", Nd4j.ones(DataType.FLOAT, 4, 4));
        SDVariable both = graph.var("both", Nd4j.ones(DataType.FLOAT, 4, 4));
        SDVariable transposed = graph.var("transposed", Nd4j.ones(DataType.FLOAT, 4, 4));
        graph.mmul("a", left, x, false, true, false);
        graph.mmul("b1", x, both);
        graph.mmul("b2", x, both, false, true, false);
        graph.mmul("d", x, transposed, true, false, false);
        LinearLayers layers = LinearSites.layers(graph, Map.of());
        assertThat(layers.sites()).isEmpty();
        assertThat(layers.rejected())
                .extracting(LinearLayers.Rejected::weight)
                .containsExactlyInAnyOrder("left", "both", "transposed");
    }
}
