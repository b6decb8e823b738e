package dev.samediff.adapters.engine.nd4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class DenseEqualityTest {
    @Test
    void one_last_bit_makes_a_difference_in_every_order_and_view() {
        INDArray dense = Nd4j.rand(DataType.FLOAT, 3, 4).muli(1e-6);
        INDArray changed = dense.dup('c');
        changed.putScalar(1, 2, Math.nextUp(changed.getFloat(1, 2)));
        INDArray wide = Nd4j.zeros(DataType.FLOAT, 5, 6);
        INDArray view = wide.get(NDArrayIndex.interval(1, 4), NDArrayIndex.interval(2, 6));
        for (char order : new char[] {'c', 'f'}) {
            assertThat(Dense.equal(dense, dense.dup(order))).isTrue();
            assertThat(Dense.equal(dense, changed.dup(order))).isFalse();
        }
        assertThat(Dense.equal(dense, view.assign(dense))).isTrue();
        assertThat(Dense.equal(dense, view.assign(changed))).isFalse();
    }
}
