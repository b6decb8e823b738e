package dev.samediff.adapters.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Vectors for texts. */
class TextEmbeddingTest {
    @Test
    void padding_is_left_out_on_either_side() {
        INDArray features = Nd4j.arange(12).castTo(DataType.FLOAT).reshape(2, 3, 2);
        INDArray mask = Nd4j.createFromArray(new long[][] {{1, 1, 0}, {0, 1, 1}});
        float[][][] expected = {{{1, 2}, {9, 10}}, {{0, 1}, {6, 7}}, {{2, 3}, {10, 11}}};
        Pooling[] poolings = {Pooling.MEAN, Pooling.FIRST, Pooling.LAST};
        for (int i = 0; i < poolings.length; i++) {
            SameDiff graph = SameDiff.create();
            graph.placeHolder("x", DataType.FLOAT, -1, -1, 2).mul("features", 1);
            graph.placeHolder("mask", DataType.INT64, -1, -1);
            String name = new TextEmbedding(poolings[i]).addTo(graph, "features", "mask");
            assertThat(name).isEqualTo("embedding");
            assertThat(TextEmbedding.mean().addTo(graph, "features", "mask")).isEqualTo("embedding_1");
            INDArray found =
                    graph.output(Map.of("x", features, "mask", mask), name).get(name);
            assertThat(found.sub(Nd4j.createFromArray(expected[i]))
                            .normmaxNumber()
                            .doubleValue())
                    .as("%s", poolings[i])
                    .isCloseTo(0, within(1e-6));
        }
    }

    @Test
    void what_gives_no_vector_is_refused() {
        assertThatThrownBy(() -> new TextEmbedding(Pooling.EACH)).isInstanceOf(InvalidInputException.class);
        SameDiff graph = SameDiff.create();
        graph.placeHolder("ids", DataType.INT64, -1, -1);
        assertThatThrownBy(() -> TextEmbedding.mean().addTo(graph, "nope", "mask"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no features `nope`");
        assertThatThrownBy(() -> TextEmbedding.mean().addTo(graph, "ids", "mask"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("floating point");
    }
}
