package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;

class CopyTest {
    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16", "INT", "LONG", "BOOL"})
    void every_type_is_copied_exactly_between_any_strides(DataType type) {
        Random random = new Random(1);
        long[] shape = {2, 3, 5, 7};
        long[][] layouts = {{105, 35, 7, 1}, {1, 2, 6, 30}, {105, 7, 21, 1}, {300, 100, 10, 1}};
        for (long[] from : layouts) {
            for (long[] to : layouts) {
                Numbers x = Numbers.strided(type, shape, from).fill(() -> switch (type) {
                    case INT -> random.nextInt();
                    case LONG -> random.nextLong() >> 11; // exact as a double
                    case BOOL -> random.nextInt(2);
                    default -> random.nextGaussian();
                });
                Numbers y = Numbers.strided(type, shape, to);
                Kernel kernel = new Kernels().copy(x.operand, y.operand);
                kernel.run();
                y.isCloseTo(x.values(), 0);
                x.move();
                y.move();
                kernel.run();
                y.isCloseTo(x.values(), 0);
            }
        }
    }

    @Test
    void axes_of_stride_zero_are_repeated() {
        long[] shape = {4, 3, 5};
        for (long[] strides : new long[][] {{0, 5, 1}, {1, 0, 4}, {3, 1, 0}, {0, 0, 1}, {0, 1, 0}, {0, 0, 0}}) {
            Numbers x = Numbers.strided(DataType.FLOAT, shape, strides).randomise(1);
            Numbers y = Numbers.zeros(shape);
            new Kernels().copy(x.operand, y.operand).run();
            y.isCloseTo(x.values(), 0);
        }
    }

    @Test
    void floats_are_rounded_to_the_nearest_bf16_and_back() {
        Numbers x = Numbers.of(1.0, 1.00390625, 1.0117, -3.14159265, 65504, 1e-30);
        Numbers half = Numbers.strided(DataType.BFLOAT16, new long[] {6}, new long[] {1});
        Numbers back = Numbers.zeros(6);
        new Kernels().copy(x.operand, half.operand).run();
        new Kernels().copy(half.operand, back.operand).run();
        half.isCloseTo(new double[] {1.0, 1.0, 1.0078125, -3.140625, 65536, 1.0017e-30}, 1e-7);
        back.isCloseTo(half.values(), 0);
    }

    @Test
    void integers_do_not_become_floats() {
        Operand ids = Operand.dense(DataType.INT, 3);
        Operand floats = Operand.dense(DataType.FLOAT, 3);
        assertThatThrownBy(() -> new Kernels().copy(ids, floats))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("INT[3] cannot become FLOAT[3]");
    }

    @Test
    void types_and_layouts_that_kernels_do_not_know_are_refused() {
        Operand texts = Operand.dense(DataType.UTF8, 3);
        assertThatThrownBy(() -> new Kernels().copy(texts, texts))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("UTF8");
        assertThatThrownBy(() -> Operand.dense(DataType.FLOAT, 3, 0)).hasMessageContaining("no axis may be empty");
        assertThatThrownBy(() -> Operand.dense(DataType.FLOAT, 1, 1, 1, 1, 1, 1, 1))
                .hasMessageContaining("at most 6");
    }
}
