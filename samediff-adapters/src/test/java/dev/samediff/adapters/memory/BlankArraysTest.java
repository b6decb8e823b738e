package dev.samediff.adapters.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.method.Lora;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class BlankArraysTest {
    @Test
    void a_blank_array_has_a_shape_and_zeros() {
        INDArray array = BlankArrays.of(DataType.FLOAT, 3, 5);
        assertThat(array.shape()).containsExactly(3, 5);
        assertThat(array.sumNumber().doubleValue()).isZero();
        assertThat(BlankArrays.isOne(array)).isTrue();
        assertThat(BlankArrays.isOne(Nd4j.zeros(DataType.FLOAT, 3, 5))).isFalse();
    }

    @Test
    void more_than_the_machine_has_takes_nothing() {
        INDArray[] arrays = new INDArray[64];
        for (int i = 0; i < arrays.length; i++) {
            arrays[i] = BlankArrays.of(DataType.FLOAT, 1 << 15, 1 << 15); // 4 GiB each
        }
        assertThat(arrays[63].getDouble(12345, 678)).isZero();
    }

    @Test
    void a_blank_weight_is_not_read_to_be_recognised() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 8);
        x.mmul(graph.var("layer.weight", BlankArrays.of(DataType.FLOAT, 8, 6))).rename("y");
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        assertThat(model.sites().get(0).weightHash()).isEqualTo(AdapterState.UNKNOWN_HASH);
    }
}
