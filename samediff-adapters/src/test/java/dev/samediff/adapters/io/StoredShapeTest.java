package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class StoredShapeTest {
    /** Arrays of every layout that ND4J writes. */
    static Stream<INDArray> arrays() {
        INDArray cube = Nd4j.rand(DataType.FLOAT, 2, 3, 4);
        return Stream.of(
                Nd4j.scalar(1f),
                Nd4j.rand(DataType.FLOAT, 5),
                Nd4j.rand(DataType.FLOAT, 1, 5),
                Nd4j.rand(DataType.FLOAT, 5, 1),
                Nd4j.rand(DataType.DOUBLE, 3, 4).dup('f'),
                Nd4j.rand(DataType.FLOAT, 3, 4).transpose(),
                cube,
                cube.dup('f'),
                cube.permute(1, 0, 2),
                cube.permute(2, 1, 0),
                cube.permute(0, 2, 1).dup('c'),
                Nd4j.rand(DataType.FLOAT, 1, 3, 1, 4),
                Nd4j.rand(DataType.FLOAT, 4, 1, 3).permute(2, 0, 1),
                Nd4j.create(DataType.FLOAT, 0, 3));
    }

    @ParameterizedTest
    @MethodSource("arrays")
    void what_nd4j_writes_is_read(INDArray array) {
        assertThat(StoredShape.elements(array.shapeInfoJava())).isEqualTo(array.length());
    }

    @Test
    void holes_numbers_twice_and_steps_that_lead_elsewhere_are_refused() {
        long[] matrix = Nd4j.rand(DataType.FLOAT, 3, 4).shapeInfoJava();
        assertRefused(matrix, 3, 0, "once"); // strides 0,1: a row three times
        assertRefused(matrix, 3, 5, "once");
        assertRefused(matrix, 4, 0, "once");
        assertRefused(matrix, 4, 2, "once");
        assertRefused(matrix, 6, 2, "a step of 2");
        assertRefused(matrix, 6, 33, "a step of 33");
        assertRefused(matrix, 6, Long.MIN_VALUE, "a step of");
        assertRefused(matrix, 7, 'f', "a step of 1");
        assertRefused(matrix, 7, 'x', "neither c nor f");
        assertRefused(matrix, 0, 3, "8 numbers for 3 dimensions");
        assertRefused(Nd4j.rand(DataType.FLOAT, 1, 5).shapeInfoJava(), 4, 0, "once");
    }

    private static void assertRefused(long[] shape, int place, long value, String part) {
        long[] changed = shape.clone();
        changed[place] = value;
        assertThatThrownBy(() -> StoredShape.elements(changed))
                .as("%d at %d", value, place)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(part);
    }
}
