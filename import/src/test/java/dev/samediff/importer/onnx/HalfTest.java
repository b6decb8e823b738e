package dev.samediff.importer.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Half precision: every value survives, and what lies between two values goes to the nearer, the even one at a tie. */
class HalfTest {
    @Test
    void every_binary16_value_survives() {
        assertThat(IntStream.range(0, 1 << 16)
                        .filter(bits -> !Float.isNaN(Half.toFloat((short) bits)))
                        .filter(bits -> Half.fromFloat(Half.toFloat((short) bits)) != (short) bits))
                .isEmpty();
    }

    @Test
    void every_bfloat16_value_survives() {
        assertThat(IntStream.range(0, 1 << 16)
                        .filter(bits -> !Float.isNaN(Half.bfloatToFloat((short) bits)))
                        .filter(bits -> Half.bfloatFromFloat(Half.bfloatToFloat((short) bits)) != (short) bits))
                .isEmpty();
    }

    /** Between neighbours of every exponent: a quarter, the middle and three quarters of the way. */
    @Test
    void numbers_between_go_to_the_nearest_and_ties_to_even() {
        for (int bits = 0; bits < 0x7bff; bits++) {
            float low = Half.toFloat((short) bits);
            float high = Half.toFloat((short) (bits + 1));
            assertThat(Half.fromFloat(low + (high - low) / 4)).isEqualTo((short) bits);
            assertThat(Half.fromFloat(low + (high - low) / 2)).isEqualTo((short) (bits + (bits & 1)));
            assertThat(Half.fromFloat(-(low + (high - low) * 0.75f))).isEqualTo((short) (bits + 1 | 0x8000));
        }
    }

    @Test
    void what_is_too_large_becomes_infinite() {
        assertThat(Half.toFloat(Half.fromFloat(65519f))).isEqualTo(65504f);
        assertThat(Half.toFloat(Half.fromFloat(65520f))).isInfinite();
        assertThat(Half.toFloat(Half.fromFloat(-1e30f))).isEqualTo(Float.NEGATIVE_INFINITY);
        assertThat(Half.toFloat(Half.fromFloat(Float.NaN))).isNaN();
        assertThat(Half.bfloatToFloat(Half.bfloatFromFloat(Float.NaN))).isNaN();
    }
}
