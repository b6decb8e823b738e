package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class RowsTest {
    private static final double[] IDS = {4, 0, 4, 2, 6, 4};

    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    private static Numbers ids(DataType type, double... values) {
        return Numbers.strided(type, new long[] {2, 3}, new long[] {3, 1}).set(values);
    }

    @Test
    void rows_are_looked_up_by_either_kind_of_id() {
        Numbers table = Numbers.ordered(new int[] {0, 1}, 7, 5).randomise(1);
        double[] expected = new double[30];
        for (int i = 0; i < 30; i++) {
            expected[i] = table.values()[(int) IDS[i / 5] * 5 + i % 5];
        }
        for (DataType type : new DataType[] {DataType.INT, DataType.LONG}) {
            for (int[] order : new int[][] {{0, 1}, {1, 0}}) {
                Numbers ids = ids(type, IDS);
                Numbers dst = Numbers.ordered(order, 6, 5);
                Kernel kernel = new LayerKernels().gatherRows(table.operand, ids.operand, dst.operand);
                kernel.run();
                dst.isCloseTo(expected, 0);
                table.move();
                ids.move();
                dst.move().fill(() -> 7);
                kernel.run();
                dst.isCloseTo(expected, 0);
            }
        }
    }

    @Test
    void rows_of_a_bf16_table_become_floats() {
        Numbers table = Numbers.strided(DataType.BFLOAT16, new long[] {7, 2}, new long[] {2, 1})
                .randomise(1);
        Numbers dst = Numbers.zeros(6, 2);
        new LayerKernels()
                .gatherRows(table.operand, ids(DataType.INT, IDS).operand, dst.operand)
                .run();
        double[] expected = new double[12];
        for (int i = 0; i < 12; i++) {
            expected[i] = table.values()[(int) IDS[i / 2] * 2 + i % 2];
        }
        dst.isCloseTo(expected, 0);
    }

    @Test
    void gradients_of_a_row_used_several_times_add_up() {
        for (int[] order : new int[][] {{0, 1}, {1, 0}}) {
            Numbers dy = Numbers.ordered(order, 6, 5).randomise(1);
            Numbers dTable = Numbers.ordered(new int[] {0, 1}, 7, 5).randomise(2);
            double[] expected = new double[35];
            for (int i = 0; i < 30; i++) {
                expected[(int) IDS[i / 5] * 5 + i % 5] += dy.values()[i];
            }
            Kernel kernel =
                    new LayerKernels().scatterAddRows(dy.operand, ids(DataType.LONG, IDS).operand, dTable.operand);
            kernel.run();
            dTable.isCloseTo(expected, 1e-6);
            dy.move();
            kernel.run();
            dTable.isCloseTo(expected, 1e-6);
        }
    }

    @Test
    void ids_below_zero_count_from_the_end() {
        Numbers table = Numbers.random(1, 7, 5);
        Numbers below = ids(DataType.LONG, -1, -7, 3, -2, 0, -4);
        Numbers above = ids(DataType.INT, 6, 0, 3, 5, 0, 3);
        Numbers rows = Numbers.zeros(6, 5);
        Numbers expected = Numbers.zeros(6, 5);
        new LayerKernels()
                .gatherRows(table.operand, below.operand, rows.operand)
                .run();
        new LayerKernels()
                .gatherRows(table.operand, above.operand, expected.operand)
                .run();
        rows.isCloseTo(expected.values(), 0);
        Numbers gradient = Numbers.zeros(7, 5);
        Numbers other = Numbers.zeros(7, 5);
        new LayerKernels()
                .scatterAddRows(rows.operand, below.operand, gradient.operand)
                .run();
        new LayerKernels()
                .scatterAddRows(rows.operand, above.operand, other.operand)
                .run();
        gradient.isCloseTo(other.values(), 0);
    }

    @Test
    void ids_outside_of_the_table_are_named_when_it_runs() {
        Operand table = Numbers.random(1, 7, 5).operand;
        Operand dst = Numbers.zeros(6, 5).operand;
        for (double bad : new double[] {7, -8}) {
            Kernel kernel = new LayerKernels().gatherRows(table, ids(DataType.INT, 0, 1, 2, bad, 4, 5).operand, dst);
            assertThatThrownBy(kernel::run)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("the token id at position 3 is " + (int) bad + ", expected -7 to 6");
        }
        Operand floats = Operand.dense(DataType.FLOAT, 6);
        assertThatThrownBy(() -> new LayerKernels().gatherRows(table, floats, dst))
                .hasMessageContaining("`token ids` is FLOAT[6]");
        Operand few = Operand.dense(DataType.INT, 4);
        assertThatThrownBy(() -> new LayerKernels().gatherRows(table, few, dst))
                .hasMessageContaining("expected 6 elements");
    }
}
