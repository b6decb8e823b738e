package dev.samediff.importer.folding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.TinyModel;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class HostFoldingTest {
    private final Dim batch = Dim.symbol("batch");
    private final Dim sequence = Dim.symbol("sequence");
    private final HostTensor shape = HostTensor.vector(List.of(batch, sequence, Dim.of(768)));

    private static OnnxNode node(String operator, Object... attributes) {
        return TinyModel.singleNode(operator, attributes);
    }

    private static Optional<HostTensor> fold(OnnxNode node, HostTensor... inputs) {
        return HostFolding.fold(node, Arrays.asList(inputs), 14).map(outputs -> outputs.get(0));
    }

    private static HostTensor reals(long[] shape, double... values) {
        return HostTensor.of(DataType.FLOAT, shape, values);
    }

    private static HostTensor whole(long value) {
        return HostTensor.of(DataType.LONG, new long[0], new long[] {value});
    }

    @Test
    void arithmetic_broadcasts_as_numpy_does() {
        HostTensor sum = fold(node("Add"), reals(new long[] {2, 1}, 1, 2), reals(new long[] {3}, 10, 20, 30))
                .orElseThrow();
        assertThat(sum.shape()).containsExactly(2, 3);
        assertThat(sum.asDoubles()).containsExactly(11, 21, 31, 12, 22, 32);
    }

    @Test
    void floats_are_rounded_to_float() {
        HostTensor sum = fold(node("Add"), reals(new long[0], 0.1), reals(new long[0], 0.2))
                .orElseThrow();
        assertThat(sum.asDouble(0)).isEqualTo(0.1f + 0.2f);
    }

    @Test
    void whole_numbers_divide_towards_zero() {
        assertThat(fold(node("Div"), HostTensor.vector(-7, 7), whole(2))
                        .orElseThrow()
                        .asLongs())
                .containsExactly(-3, 3);
    }

    @Test
    void dividing_a_whole_number_by_zero_is_left_to_the_graph() {
        assertThat(fold(node("Div"), whole(7), whole(0))).isEmpty();
    }

    @Test
    void shape_arithmetic_keeps_unknown_sizes() {
        HostTensor heads = fold(
                        node("Div"), fold(node("Gather"), shape, whole(-1)).orElseThrow(), whole(64))
                .orElseThrow();
        assertThat(heads.asLong(0)).isEqualTo(12);
        HostTensor first = fold(node("Slice"), shape, HostTensor.vector(0), HostTensor.vector(2))
                .orElseThrow();
        HostTensor joined = fold(node("Concat", "axis", 0), first, HostTensor.vector(12, 64))
                .orElseThrow();
        assertThat(joined.asDims()).containsExactly(batch, sequence, Dim.of(12), Dim.of(64));
        HostTensor product = fold(node("ReduceProd", "keepdims", 0), joined).orElseThrow();
        assertThat(product.dim(0)).isEqualTo(batch.times(sequence).times(Dim.of(768)));
    }

    @Test
    void half_of_an_unknown_size_is_left_to_the_graph() {
        assertThat(fold(node("Div"), HostTensor.vector(List.of(sequence)), whole(2)))
                .isEmpty();
    }

    @Test
    void sizes_are_compared_only_where_the_answer_is_certain() {
        assertThat(fold(node("Equal"), HostTensor.vector(List.of(batch)), whole(-1))
                        .orElseThrow()
                        .asLong(0))
                .isZero();
        assertThat(fold(node("Equal"), HostTensor.vector(List.of(batch)), HostTensor.vector(List.of(batch)))
                        .orElseThrow()
                        .asLong(0))
                .isEqualTo(1);
        assertThat(fold(node("Equal"), HostTensor.vector(List.of(batch)), whole(4)))
                .isEmpty();
    }

    @Test
    void slices_clamp_their_bounds_and_count_from_the_end() {
        HostTensor five = HostTensor.vector(0, 1, 2, 3, 4);
        assertThat(slice(five, 1, 100, 1)).containsExactly(1, 2, 3, 4);
        assertThat(slice(five, -2, Long.MAX_VALUE, 1)).containsExactly(3, 4);
        assertThat(slice(five, -100, -3, 1)).containsExactly(0, 1);
        assertThat(slice(five, -1, Long.MIN_VALUE, -1)).containsExactly(4, 3, 2, 1, 0);
        assertThat(slice(five, 4, 0, -2)).containsExactly(4, 2);
        assertThat(slice(five, 3, 1, 1)).isEmpty();
    }

    private static long[] slice(HostTensor data, long start, long end, long step) {
        return fold(
                        node("Slice"),
                        data,
                        HostTensor.vector(start),
                        HostTensor.vector(end),
                        HostTensor.vector(0),
                        HostTensor.vector(step))
                .orElseThrow()
                .asLongs();
    }

    @Test
    void elements_move_with_their_axes() {
        HostTensor matrix = HostTensor.of(DataType.LONG, new long[] {2, 3}, new long[] {1, 2, 3, 4, 5, 6});
        assertThat(fold(node("Transpose"), matrix).orElseThrow().asLongs()).containsExactly(1, 4, 2, 5, 3, 6);
        assertThat(fold(node("Gather", "axis", 1), matrix, HostTensor.vector(2, -3))
                        .orElseThrow()
                        .asLongs())
                .containsExactly(3, 1, 6, 4);
        assertThat(fold(node("Concat", "axis", 1), matrix, matrix).orElseThrow().asLongs())
                .containsExactly(1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6);
        assertThat(fold(node("Trilu", "upper", 0), matrix).orElseThrow().asLongs())
                .containsExactly(1, 0, 0, 4, 5, 0);
        assertThat(fold(node("Tile"), HostTensor.vector(1, 2), HostTensor.vector(2))
                        .orElseThrow()
                        .asLongs())
                .containsExactly(1, 2, 1, 2);
    }

    @Test
    void an_index_outside_of_its_axis_is_refused() {
        assertThatThrownBy(() -> fold(node("Gather"), HostTensor.vector(1, 2), whole(2)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("reads element 2 of an axis with 2");
    }

    @Test
    void a_reshape_that_does_not_fit_is_refused() {
        assertThatThrownBy(() -> fold(node("Reshape"), HostTensor.vector(1, 2, 3), HostTensor.vector(2, -1)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("reshapes [3]");
    }

    @Test
    void a_range_too_long_to_fold_is_left_to_the_graph() {
        assertThat(fold(node("Range"), whole(0), whole(Long.MAX_VALUE), whole(1)))
                .isEmpty();
        assertThat(fold(node("ConstantOfShape"), HostTensor.vector(1 << 20, 1 << 20)))
                .isEmpty();
    }
}
