package dev.samediff.importer.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;

/** What is done in bulk is what is done number by number. */
class StoredNumbersTest {
    private static StoredNumbers stored(TensorProto.DataType type, List<Double> numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * numbers.size()).order(ByteOrder.LITTLE_ENDIAN);
        for (double number : numbers) {
            switch (type) {
                case FLOAT -> bytes.putFloat((float) number);
                case DOUBLE -> bytes.putDouble(number);
                case FLOAT16 -> bytes.putShort(Half.fromFloat((float) number));
                default -> bytes.putShort(Half.bfloatFromFloat((float) number));
            }
        }
        return new StoredNumbers("numbers", type, new TensorData.InMemory(bytes.flip()));
    }

    @ParameterizedTest
    @EnumSource(
            value = TensorProto.DataType.class,
            names = {"FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16"})
    void the_largest_magnitude_is_that_of_either_sign_and_infinite_of_what_is_no_number(TensorProto.DataType type) {
        assertThat(stored(type, List.of()).largest()).isZero();
        assertThat(stored(type, List.of(-0.0, 0.0)).largest()).isZero();
        assertThat(stored(type, List.of(1.5, -40960.0, 3.0)).largest()).isEqualTo(40960);
        assertThat(stored(type, List.of(0.25, -0.125)).largest()).isEqualTo(0.25);
        assertThat(stored(type, List.of(1.0, Double.NEGATIVE_INFINITY)).largest())
                .isInfinite();
        assertThat(stored(type, List.of(Double.NaN, 1.0)).largest()).isInfinite();
        assertThat(stored(type, List.of(1.0, -Double.NaN, 2.0)).largest()).isInfinite();
    }

    @ParameterizedTest
    @EnumSource(
            value = TensorProto.DataType.class,
            names = {"FLOAT16", "BFLOAT16"})
    void every_number_of_16_bits_is_widened_as_it_is(TensorProto.DataType type) {
        ByteBuffer bytes = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
        for (int bits = 0; bits < 1 << 16; bits++) {
            bytes.putShort((short) bits);
        }
        NativeMemory memory = new StoredNumbers("numbers", type, new TensorData.InMemory(bytes.flip()))
                .load(DataType.FLOAT, 1 << 16, null);
        ByteBuffer wide = memory.part(0, 4 << 16);
        for (int bits = 0; bits < 1 << 16; bits++) {
            float expected = type == TensorProto.DataType.FLOAT16
                    ? Half.toFloat((short) bits)
                    : Half.bfloatToFloat((short) bits);
            assertThat(Float.floatToIntBits(wide.getFloat(4 * bits))).isEqualTo(Float.floatToIntBits(expected));
        }
        memory.release();
    }

    @Test
    void doubles_are_narrowed_to_the_nearest() {
        NativeMemory memory =
                stored(TensorProto.DataType.DOUBLE, List.of(0.1, -1e300)).load(DataType.FLOAT, 2, null);
        assertThat(memory.part(0, 8).getFloat(0)).isEqualTo(0.1f);
        assertThat(memory.part(0, 8).getFloat(4)).isEqualTo(Float.NEGATIVE_INFINITY);
        memory.release();
    }
}
