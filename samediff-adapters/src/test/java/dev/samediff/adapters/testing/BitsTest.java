package dev.samediff.adapters.testing;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.samediff.adapters.engine.Engine.Gradients;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class BitsTest {
    private static INDArray floats(float... values) {
        return Nd4j.createFromArray(values);
    }

    private static void assertDiffer(INDArray one, INDArray other, String... parts) {
        assertThatBits(one).isNotEqualTo(other);
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> assertThatBits(one).as("case").isEqualTo(other))
                .withMessageStartingWith("[case] the array: ")
                .satisfies(error -> assertThat(error.getMessage()).contains(parts));
    }

    private static void assertSame(INDArray one, INDArray other) {
        assertThatBits(one).isEqualTo(other);
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> assertThatBits(one).isNotEqualTo(other))
                .withMessageContaining("the same");
    }

    @Test
    void the_last_bit_counts_and_the_message_says_where() {
        assertDiffer(
                Nd4j.createFromArray(new float[][] {{1, 2, 3}, {4, Math.nextUp(5f), 7}}),
                Nd4j.createFromArray(new float[][] {{1, 2, 3}, {4, 5, 6}}),
                "2 of 6 elements of FLOAT [2, 3] differ",
                "the first at [1, 1]: expected 5.0 (0x40a00000), but was",
                "(0x40a00001)",
                "the largest difference is 1.0 at [1, 2]");
    }

    @Test
    void signs_of_zero_and_payloads_of_nan_count() {
        assertDiffer(floats(0f), floats(-0f), "0x80000000");
        float other = Float.intBitsToFloat(0x7fc00001);
        assertDiffer(floats(Float.NaN), floats(other), "0x7fc00001");
        assertSame(floats(Float.NaN, other, -0f), floats(Float.NaN, other, -0f));
    }

    @ParameterizedTest
    @EnumSource(names = {"DOUBLE", "FLOAT", "HALF", "BFLOAT16", "LONG", "INT", "SHORT", "BYTE", "UBYTE", "BOOL"})
    void every_type_has_bits(DataType type) {
        INDArray ones = Nd4j.ones(type, 3, 2);
        assertSame(ones, Nd4j.ones(type, 3, 2));
        INDArray changed = ones.dup();
        changed.putScalar(5, 0);
        assertDiffer(ones, changed, "1 of 6 elements of " + type + " [3, 2] differ; the first at [2, 1]");
    }

    @Test
    void type_and_shape_count() {
        assertDiffer(floats(1), floats(1).castTo(DataType.DOUBLE), "expected DOUBLE [1], but was FLOAT [1]");
        assertDiffer(floats(1), Nd4j.scalar(1f), "expected FLOAT [], but was FLOAT [1]");
        assertDiffer(Nd4j.ones(2, 3), Nd4j.ones(3, 2), "expected FLOAT [3, 2], but was FLOAT [2, 3]");
        assertSame(Nd4j.scalar(2f), Nd4j.scalar(2f));
        assertSame(Nd4j.empty(DataType.FLOAT), Nd4j.empty(DataType.FLOAT));
    }

    @Test
    void order_and_view_do_not() {
        INDArray table = Nd4j.rand(DataType.FLOAT, 4, 6);
        assertSame(table, table.dup('f'));
        assertSame(table.transpose(), table.transpose().dup('c'));
        INDArray view = table.get(NDArrayIndex.interval(1, 3), NDArrayIndex.interval(2, 6));
        assertSame(view, view.dup());
        INDArray changed = view.dup();
        changed.putScalar(1, 2, Math.nextUp(changed.getFloat(1, 2)));
        assertDiffer(view, changed, "1 of 8 elements", "[1, 2]");
    }

    @Test
    void maps_lists_and_gradients_name_what_differs() {
        Map<String, INDArray> map = Map.of("a", floats(1), "b", floats(1e-6f));
        Map<String, INDArray> other = Map.of("a", floats(1), "b", floats(-1e-6f));
        assertThatBits(map).isEqualTo(Map.copyOf(map)).isNotEqualTo(other);
        assertFails(() -> assertThatBits(map).isEqualTo(other), "b: 1 of 1 elements");
        assertFails(() -> assertThatBits(map).isEqualTo(Map.of("a", floats(1))), "expected the arrays [a]");
        List<INDArray> list = List.of(floats(1), floats(2));
        assertThatBits(list).isEqualTo(List.copyOf(list)).isNotEqualTo(List.of(floats(1)));
        assertFails(() -> assertThatBits(list).isEqualTo(List.of(floats(1), floats(3))), "array 1: ");
        Gradients gradients = new Gradients(0.5, map);
        assertThatBits(gradients).isEqualTo(new Gradients(0.5, map));
        assertFails(() -> assertThatBits(gradients).isEqualTo(new Gradients(0.5, other)), "b: ");
        assertFails(() -> assertThatBits(gradients).isEqualTo(new Gradients(Math.nextUp(0.5), map)), "the loss: ");
    }

    private static void assertFails(ThrowingCallable assertion, String part) {
        assertThatExceptionOfType(AssertionError.class).isThrownBy(assertion).withMessageContaining(part);
    }
}
