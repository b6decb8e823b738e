package dev.samediff.adapters.engine.nd4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.memory.FileBackedArrays;
import java.nio.file.Path;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class BitSampleTest {
    @ParameterizedTest
    @CsvSource({
        "FLOAT,1,1",
        "FLOAT,1,70",
        "FLOAT,70,1",
        "FLOAT,7,7",
        "FLOAT,5,64",
        "FLOAT,64,5",
        "FLOAT,33,100",
        "FLOAT,100,33",
        "DOUBLE,12,31",
        "LONG,31,12",
        "BFLOAT16,9,7",
        "BFLOAT16,8,10",
        "BOOL,13,21",
        "BOOL,16,24",
        "UBYTE,5,3"
    })
    void a_change_of_any_row_or_any_column_is_noticed(DataType type, int rows, int columns) {
        INDArray rowMajor = Nd4j.ones(type, rows, columns);
        INDArray view = Nd4j.ones(type, rows + 3, columns + 5)
                .get(NDArrayIndex.interval(2, rows + 2), NDArrayIndex.interval(4, columns + 4));
        INDArray middleRows =
                Nd4j.ones(type, rows + 3, columns).get(NDArrayIndex.interval(1, rows + 1), NDArrayIndex.all());
        for (INDArray array : new INDArray[] {rowMajor, rowMajor.dup('f'), view, middleRows}) {
            BitSample before = BitSample.of(array);
            assertThat(before.isOf(array)).isTrue();
            for (int row = 0; row < rows; row++) {
                fill(array, row, -1, 0);
                assertThat(before.isOf(array)).as("row " + row).isFalse();
                fill(array, row, -1, 1);
                assertThat(before.isOf(array)).as("row " + row + " put back").isTrue();
            }
            for (int column = 0; column < columns; column++) {
                fill(array, -1, column, 0);
                assertThat(before.isOf(array)).as("column " + column).isFalse();
                fill(array, -1, column, 1);
                assertThat(before.isOf(array))
                        .as("column " + column + " put back")
                        .isTrue();
            }
        }
    }

    private static void fill(INDArray array, int row, int column, int value) {
        for (int i = 0; i < array.size(0); i++) {
            for (int j = 0; j < array.size(1); j++) {
                if (i == row || j == column) {
                    array.putScalar(i, j, value);
                }
            }
        }
    }

    @Test
    void vectors_and_scalars_are_compared_as_a_whole() {
        INDArray vector = Nd4j.zeros(DataType.FLOAT, 1000);
        BitSample before = BitSample.of(vector);
        LongStream.range(0, 1000).forEach(i -> {
            vector.putScalar(i, 1e-30);
            assertThat(before.isOf(vector)).isFalse();
            vector.putScalar(i, 0);
        });
        INDArray scalar = Nd4j.scalar(3f);
        BitSample three = BitSample.of(scalar);
        scalar.assign(4);
        assertThat(three.isOf(scalar)).isFalse();
        assertThat(three.isOf(Nd4j.scalar(3f))).isTrue();
    }

    @Test
    void a_sign_of_zero_and_a_nan_are_bits_like_others() {
        INDArray array = Nd4j.createFromArray(0f, Float.NaN);
        BitSample before = BitSample.of(array);
        assertThat(before.isOf(Nd4j.createFromArray(0f, Float.NaN))).isTrue();
        assertThat(before.isOf(Nd4j.createFromArray(-0f, Float.NaN))).isFalse();
    }

    @Test
    void arrays_of_other_shapes_and_empty_ones_are_no_failure() {
        BitSample matrix = BitSample.of(Nd4j.ones(4, 6));
        assertThat(matrix.isOf(Nd4j.ones(9, 9))).isFalse();
        INDArray empty = Nd4j.empty(DataType.FLOAT);
        assertThat(BitSample.of(empty).isOf(empty)).isTrue();
        INDArray deep = Nd4j.ones(DataType.FLOAT, 2, 3, 4);
        BitSample before = BitSample.of(deep);
        deep.get(NDArrayIndex.point(1), NDArrayIndex.point(2), NDArrayIndex.all())
                .assign(0);
        assertThat(before.isOf(deep)).isFalse();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void of_an_array_in_a_file_a_change_of_all_elements_is_noticed(@TempDir Path directory) {
        INDArray array = FileBackedArrays.copy(Nd4j.ones(DataType.FLOAT, 64, 64), directory)
                .orElseThrow();
        BitSample before = BitSample.of(array);
        assertThat(before.isOf(array)).isTrue();
        array.muli(1.5);
        assertThat(before.isOf(array)).isFalse();
    }

    @Test
    void dense_arrays_are_compared_by_their_bits_wherever_they_lie() {
        INDArray small = Nd4j.createFromArray(1e-7f, 2e-7f, 3e-7f);
        INDArray whole = Nd4j.createFromArray(9f, 1e-7f, 2e-7f, -3e-7f, 1e-7f, 2e-7f, 3e-7f);
        assertThat(Dense.equal(small, whole.get(NDArrayIndex.interval(1, 4)))).isFalse();
        assertThat(Dense.equal(small, whole.get(NDArrayIndex.interval(4, 7)))).isTrue();
        INDArray columns = Nd4j.createFromArray(new float[][] {{1e-7f, 5}, {2e-7f, 5}, {3e-7f, 5}});
        INDArray column = columns.getColumn(0);
        assertThat(Dense.equal(small, column)).isTrue();
        column.putScalar(2, -3e-7f);
        assertThat(Dense.equal(small, column)).isFalse();
        assertThat(Dense.equal(Nd4j.empty(DataType.FLOAT), Nd4j.empty(DataType.FLOAT)))
                .isTrue();
        assertThat(Dense.equal(small, small.castTo(DataType.DOUBLE))).isFalse();
    }
}
