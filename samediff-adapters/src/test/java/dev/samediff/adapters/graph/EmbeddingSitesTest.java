package dev.samediff.adapters.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.EmbeddingGraph;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class EmbeddingSitesTest {
    private final SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);

    @Test
    void a_table_looked_up_twice_is_one_site() {
        assertThat(EmbeddingSites.scan(graph))
                .extracting(EmbeddingSite::module, EmbeddingSite::in, EmbeddingSite::out)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(EmbeddingGraph.TOKENS, 13, 6),
                        org.assertj.core.groups.Tuple.tuple(EmbeddingGraph.POSITIONS, 7, 6));
        EmbeddingSite tokens = EmbeddingSites.scan(graph).get(0);
        assertThat(tokens.uses())
                .extracting(AdaptableSite.Use::input, AdaptableSite.Use::output)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("ids", "tokens"),
                        org.assertj.core.groups.Tuple.tuple("positions", "again"));
        assertThat(tokens.others()).as("the tied head").hasSize(1);
    }

    @Test
    void given_paths_win_unless_they_are_those_of_a_tied_head() {
        String wte = EmbeddingGraph.TOKENS + ".weight";
        String wpe = EmbeddingGraph.POSITIONS + ".weight";
        assertThat(EmbeddingSites.scan(graph, Map.of(wte, "lm_head", wpe, "bert.position_embeddings")))
                .extracting(EmbeddingSite::module)
                .containsExactly(EmbeddingGraph.TOKENS, "bert.position_embeddings");
    }

    @Test
    void all_linear_leaves_embeddings_out_and_names_choose_them() {
        AdaptableLayers layers = AdaptableLayers.of(graph, Map.of());
        assertThat(TargetSelector.allLinear().select(layers))
                .extracting(AdaptableSite::module)
                .containsExactly(EmbeddingGraph.LINEAR);
        assertThat(TargetSelector.suffixes("wte").select(layers))
                .extracting(AdaptableSite::module)
                .containsExactly(EmbeddingGraph.TOKENS);
        assertThat(TargetSelector.regex("transformer\\.(wpe|h\\..*)").select(layers))
                .extracting(AdaptableSite::module)
                .containsExactly(EmbeddingGraph.LINEAR, EmbeddingGraph.POSITIONS);
        assertThatThrownBy(() -> TargetSelector.suffixes("word_embeddings").select(layers))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`word_embeddings`")
                .hasMessageContaining(EmbeddingGraph.TOKENS);
    }

    @Test
    void a_graph_of_embeddings_alone_has_no_linear_layers() {
        SameDiff only = SameDiff.create();
        only.gather("e", only.constant("wte.weight", Nd4j.ones(3, 2)), only.placeHolder("ids", DataType.INT, -1), 0);
        assertThatThrownBy(() -> TargetSelector.allLinear().select(AdaptableLayers.of(only, Map.of())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("all-linear")
                .hasMessageContaining("embeddings are adapted only if they are named")
                .hasMessageContaining("wte");
    }

    @Test
    void a_lookup_of_columns_is_refused_with_the_reason() {
        SameDiff columns = SameDiff.create();
        SDVariable table = columns.constant("wte.weight", Nd4j.ones(3, 2));
        columns.gather("e", table, columns.placeHolder("ids", DataType.INT, -1), 1);
        assertThat(EmbeddingSites.scan(columns)).isEmpty();
        assertThatThrownBy(() -> TargetSelector.suffixes("wte").select(AdaptableLayers.of(columns, Map.of())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`wte` cannot be adapted")
                .hasMessageContaining("axis 0");
    }

    /** Blocks of one row, of several with a rest, and more ids than rows; the gradient of repeated ids adds up. */
    @ParameterizedTest
    @CsvSource({"1, 1", "3, 5", "13, 2", "100, 1", "1000, 3", "50257, 4"})
    void the_product_with_a_one_hot_matrix_is_a_lookup_with_the_right_gradient(int rows, int width) {
        int[] ids = {0, rows - 1, rows / 2, rows - 1, 0, rows - 1, rows / 3};
        SameDiff lookup = SameDiff.create();
        SDVariable table = lookup.var("table", Nd4j.randn(DataType.DOUBLE, rows, width));
        SDVariable x = new EmbeddingInput(lookup.placeHolder("ids", DataType.LONG, -1, 7), rows).times("x", table);
        INDArray upstream = Nd4j.randn(DataType.DOUBLE, ids.length, width);
        x.mul(lookup.constant("upstream", upstream)).sum("loss");
        lookup.setLossVariables("loss");
        Map<String, INDArray> feeds =
                Map.of("ids", Nd4j.createFromArray(new int[][] {ids}).castTo(DataType.LONG));
        INDArray expected = Nd4j.zeros(DataType.DOUBLE, rows, width);
        INDArray values = lookup.output(feeds, "x").get("x");
        for (int i = 0; i < ids.length; i++) {
            for (int j = 0; j < width; j++) {
                assertThat(values.getDouble(i, j)).isEqualTo(table.getArr().getDouble(ids[i], j));
                expected.putScalar(ids[i], j, expected.getDouble(ids[i], j) + upstream.getDouble(i, j));
            }
        }
        for (SameDiff each : new SameDiff[] {lookup, lookup.dup()}) {
            INDArray gradient = each.calculateGradients(feeds, "table").get("table");
            assertThat(gradient.sub(expected).amaxNumber().doubleValue()).isLessThan(1e-14);
        }
    }

    /** Why adapted tables are not simply gathered: if this fails, a newer ND4J has mended gather's gradient. */
    @Test
    void the_gradient_of_gather_loses_repeated_rows() {
        SameDiff gather = SameDiff.create();
        SDVariable table = gather.var("table", Nd4j.randn(DataType.FLOAT, 5, 4));
        gather.gather("rows", table, gather.placeHolder("ids", DataType.INT, -1), 0)
                .sum("loss");
        gather.setLossVariables("loss");
        INDArray gradient = gather.calculateGradients(Map.of("ids", Nd4j.createFromArray(3, 0, 3, 1)), "table")
                .get("table");
        assertThat(gradient.getDouble(3, 0)).as("2 in truth").isNotEqualTo(2);
    }
}
