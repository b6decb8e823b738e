package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Ia3;
import dev.samediff.dl4j.testing.Adapted;
import dev.samediff.dl4j.testing.LayerCase;
import java.util.Map;
import org.deeplearning4j.gradientcheck.GradientCheckUtil;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** (IA)^3 on DL4J's layers: the formulas, which layers' biases it multiplies, and what it refuses. */
class Ia3LayersTest {
    @BeforeAll
    static void doubles() {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    }

    @AfterAll
    static void floats() {
        Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }

    private static MultiLayerNetwork adapt(MultiLayerNetwork network, Ia3 method) {
        return new AdapterTransfer.Builder(network)
                .method(method)
                .layers("adapted", "output")
                .build();
    }

    /** Merged weights of a dense layer with biases that are not zero, against the definition. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void weights_and_biases_are_multiplied_as_defined(boolean inputs) {
        MultiLayerNetwork original = LayerCase.DENSE.network(DataType.DOUBLE);
        original.getParam("0_b").assign(Nd4j.rand(DataType.DOUBLE, 1, 6).sub(0.5));
        MultiLayerNetwork adapted = adapt(original, inputs ? Ia3.ofFeedforward("adapted") : Ia3.ofFeedforward());
        Map<String, INDArray> table = adapted.paramTable();
        INDArray factors = table.get(inputs ? "0_W.ia3in" : "0_W.ia3out");
        assertThat(factors.length()).isEqualTo(inputs ? 5 : 6);
        assertThat(factors.sub(1).norm2Number().doubleValue()).isZero();
        Adapted.disturb(adapted, 0.3);
        MultiLayerNetwork merged = AdapterTransfer.merge(adapted);
        for (int j = 0; j < 6; j++) {
            for (int i = 0; i < 5; i++) {
                assertThat(merged.getParam("0_W").getDouble(i, j))
                        .isEqualTo(original.getParam("0_W").getDouble(i, j) * factors.getDouble(inputs ? i : j));
            }
            assertThat(merged.getParam("0_b").getDouble(j))
                    .isEqualTo(original.getParam("0_b").getDouble(j) * (inputs ? 1 : factors.getDouble(j)));
        }
        INDArray features = LayerCase.DENSE.data(DataType.DOUBLE).getFeatures();
        assertThat(Adapted.difference(merged.output(features), adapted.output(features)))
                .isLessThan(1e-12);
        assertThat(Adapted.difference(original.output(features), adapted.output(features)))
                .isGreaterThan(1e-3);
        assertThatBits(AdapterTransfer.unload(adapted).params()).isEqualTo(original.params());
    }

    /** With biases that are not zero, whose part of the gradient is seen. */
    @ParameterizedTest
    @EnumSource(names = {"DENSE", "CONVOLUTION", "CONVOLUTION_1D", "LSTM_CELLS", "BIDIRECTIONAL"})
    void gradients_of_factors_of_outputs_agree_with_differences(LayerCase layer) {
        MultiLayerNetwork network = layer.network(DataType.DOUBLE);
        network.paramTable().forEach((name, array) -> {
            if (name.endsWith("b")) {
                array.assign(Nd4j.rand(DataType.DOUBLE, array.shape()).sub(0.5));
            }
        });
        check(adapt(network, Ia3.ofFeedforward()), layer);
    }

    @ParameterizedTest
    @EnumSource(names = {"DENSE", "SIMPLE_RNN", "SELF_ATTENTION"})
    void gradients_of_factors_of_inputs_agree_with_differences(LayerCase layer) {
        check(
                adapt(
                        layer.network(DataType.DOUBLE),
                        Ia3.ofFeedforward("adapted", "adapted.W", "adapted.RW", "adapted.Wq", "adapted.Wo")),
                layer);
    }

    private static void check(MultiLayerNetwork adapted, LayerCase layer) {
        Adapted.disturb(adapted, 0.2);
        DataSet data = layer.data(DataType.DOUBLE);
        assertThat(GradientCheckUtil.checkGradients(new GradientCheckUtil.MLNConfig()
                        .net(adapted)
                        .input(data.getFeatures())
                        .labels(data.getLabels())
                        .epsilon(1e-6)
                        .maxRelError(1e-3)
                        .minAbsoluteError(1e-8)
                        .excludeParams(Adapted.frozen(adapted))
                        .print(GradientCheckUtil.PrintMode.FAILURES_ONLY)))
                .isTrue();
    }

    @Test
    void tables_and_inputs_of_convolutions_are_refused() {
        assertThatThrownBy(() -> adapt(LayerCase.EMBEDDING.network(DataType.DOUBLE), Ia3.usual()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no linear layer");
        assertThatThrownBy(() -> adapt(LayerCase.CONVOLUTION.network(DataType.DOUBLE), Ia3.ofFeedforward("adapted")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`adapted` is a convolution");
    }
}
