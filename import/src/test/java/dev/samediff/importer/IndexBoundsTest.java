package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.lowering.KnownSizes;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

class IndexBoundsTest {
    @TempDir
    Path folder;

    private static HostTensor table(long... shape) {
        return HostTensor.filled(DataType.FLOAT, shape, 0.5);
    }

    private static HostTensor whole(long value) {
        return HostTensor.of(DataType.LONG, new long[0], new long[] {value});
    }

    private static TinyModel model() {
        return new TinyModel(17)
                .input("ids", DataType.LONG, -1, -2)
                .input("positions", DataType.LONG, -1, -2)
                .input("counts", DataType.LONG, -1, -2)
                .initializer("words", table(7, 4))
                .initializer("places", table(10, 4))
                .initializer("two", whole(2))
                .node("Cast", "ids", "i32", "to", 6)
                .node("Gather", "words i32", "w")
                .node("Add", "positions two", "shifted")
                .node("Gather", "places shifted", "p")
                .node("Cast", "counts", "reals", "to", 1)
                .node("ReduceSum", "reals", "sum", "keepdims", 0)
                .node("Add", "w p", "both")
                .node("Add", "both sum", "y")
                .output("y", DataType.FLOAT, -1, -2, 4);
    }

    @Test
    void an_input_is_bounded_by_the_table_it_indexes_less_what_is_added_on_the_way() {
        IndexBounds bounds = new IndexBounds(model().proto().getGraph());
        assertThat(bounds.of("ids")).hasValue(7);
        assertThat(bounds.of("positions")).hasValue(8);
        assertThat(bounds.of("counts")).isEmpty();
    }

    @Test
    void fused_embeddings_bound_their_ids_and_segments() {
        TinyModel fused = new TinyModel(17)
                .initializer("words", table(11, 4))
                .initializer("places", table(9, 4))
                .initializer("segments", table(3, 4))
                .node("com.microsoft:EmbedLayerNormalization", "ids kinds words places segments g b", "y m");
        IndexBounds bounds = new IndexBounds(fused.proto().getGraph());
        assertThat(bounds.of("ids")).hasValue(11);
        assertThat(bounds.of("kinds")).hasValue(3);
        assertThat(new TextLimit(fused.proto().getGraph(), KnownSizes.NONE).tokens())
                .hasValue(9);
    }

    @Test
    void numbers_outside_of_a_table_are_refused_by_input_value_and_place() {
        ImportedModel imported = OnnxImporter.load(model().write(folder));
        assertThat(imported.inputs().get(0).bound()).hasValue(7);
        assertThatCode(() -> imported.requireValid(Map.of("ids", Nd4j.createFromArray(new long[][] {{0, 6}}))))
                .doesNotThrowAnyException();
        assertThatThrownBy(() ->
                        imported.requireValid(Map.of("ids", Nd4j.createFromArray(new long[][] {{0, 1}, {7, 2}}))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("'ids'")
                .hasMessageContaining("is 7 at [1, 0]")
                .hasMessageContaining("0 to 6");
        assertThatThrownBy(() -> imported.requireValid(Map.of("positions", Nd4j.createFromArray(new int[][] {{-1}}))))
                .hasMessageContaining("is -1 at [0, 0]");
    }
}
