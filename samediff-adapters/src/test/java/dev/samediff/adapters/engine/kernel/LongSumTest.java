package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.program.ReduceKind;
import java.util.Arrays;
import java.util.Random;
import org.assertj.core.data.Percentage;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Sums and means keep their digits however long an axis is, wherever it is, and however the tensor lies. */
class LongSumTest {
    private static final Percentage EXACT = Percentage.withPercentage(1e-4);

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    @ParameterizedTest
    @CsvSource({
        "1, 4097, 1",
        "1, 100000, 1",
        "1, 1000000, 1",
        "3, 100003, 1",
        "1, 100000, 5",
        "2, 99999, 3",
        "1, 1000000, 2"
    })
    void a_constant_summed_often_is_its_multiple(int outer, int length, int inner) {
        for (int[] order : new int[][] {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}}) {
            Numbers x = Numbers.ordered(order, outer, length, inner).fill(() -> 0.1);
            Numbers dst = Numbers.zeros(outer, 1, inner);
            for (ReduceKind kind : new ReduceKind[] {ReduceKind.SUM, ReduceKind.MEAN}) {
                new Kernels().reduce(kind, x.operand, dst.operand).run();
                double expected = 0.1f * (kind == ReduceKind.SUM ? (double) length : 1);
                for (double value : dst.values()) {
                    assertThat(value).isCloseTo(expected, EXACT);
                }
            }
        }
    }

    @Test
    void every_element_is_counted_once() {
        Random random = new Random(1);
        for (int length : new int[] {4097, 5000, 64 * 4096, 64 * 4096 + 63, 300_001}) {
            Numbers x = Numbers.zeros(2, length, 2).fill(() -> random.nextInt(3));
            double[] values = x.values();
            double[] expected = new double[4];
            for (int i = 0; i < values.length; i++) {
                expected[i / (2 * length) * 2 + i % 2] += values[i];
            }
            Numbers dst = Numbers.zeros(2, 1, 2);
            new Kernels().reduce(ReduceKind.SUM, x.operand, dst.operand).run();
            assertThat(dst.values()).containsExactly(expected); // integers below 2^24
        }
    }

    @Test
    void twenty_million_tenths_are_two_million() {
        int length = 20_000_000;
        float[] tenths = new float[length];
        Arrays.fill(tenths, 0.1f);
        try (FloatPointer memory = new FloatPointer(tenths)) {
            Operand x = Operand.dense(DataType.FLOAT, length);
            x.place(memory.address());
            Numbers dst = Numbers.zeros(1);
            new Kernels().reduce(ReduceKind.SUM, x, dst.operand).run();
            assertThat(dst.values()[0]).isCloseTo(2_000_000, EXACT);
            new Kernels().reduce(ReduceKind.MEAN, x, dst.operand).run();
            assertThat(dst.values()[0]).isCloseTo(0.1, EXACT);
        }
    }
}
