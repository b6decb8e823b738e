package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.testing.Adapted;
import dev.samediff.dl4j.testing.Blobs;
import dev.samediff.dl4j.testing.LayerCase;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

class DataTypesTest {
    static Stream<Arguments> types() {
        return Stream.of(DataType.HALF, DataType.FLOAT, DataType.DOUBLE)
                .flatMap(type -> Dl4jMethods.ofLayers().stream().map(method -> Arguments.of(type, method)));
    }

    /** Rounding of the data type is what the outputs may differ by. */
    private static double tolerance(DataType type) {
        return switch (type) {
            case HALF -> 2e-3;
            case FLOAT -> 1e-6;
            default -> 1e-12;
        };
    }

    @ParameterizedTest
    @MethodSource("types")
    void networks_of_every_type_start_train_and_merge(DataType type, String method) {
        MultiLayerNetwork network = Blobs.network(type);
        INDArray features = Blobs.data(6, 0, 1).getFeatures().castTo(type);
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(network)
                .method(Dl4jMethods.named(method, 2, OptionalDouble.of(6), Map.of()))
                .fineTuneConfiguration(
                        FineTuneConfiguration.builder().updater(new Sgd(0.1)).build())
                .build();
        assertThat(adapted.getParam("0_W").dataType()).isEqualTo(type);
        assertThat(Adapted.difference(network.output(features), adapted.output(features)))
                .isLessThan(tolerance(type));
        adapted.fit(features, Blobs.data(6, 0, 1).getLabels().castTo(type));
        INDArray trained = adapted.output(features);
        INDArray parameters = adapted.params().dup();
        assertThat(Adapted.difference(network.output(features), trained)).isGreaterThan(2e-3);
        assertThat(Adapted.difference(AdapterTransfer.merge(adapted).output(features), trained))
                .isLessThan(tolerance(type));
        assertThatBits(AdapterTransfer.unload(adapted).params()).isEqualTo(network.params());
        assertThatBits(adapted.params()).isEqualTo(parameters);
    }

    /** In HALF the gradients of two of DL4J's attention layers are no numbers: docs/dl4j.md. */
    private static Stream<DataType> types(LayerCase layer) {
        return layer == LayerCase.SELF_ATTENTION || layer == LayerCase.RECURRENT_ATTENTION
                ? Stream.of(DataType.FLOAT)
                : Stream.of(DataType.FLOAT, DataType.HALF);
    }

    static Stream<Arguments> layers() {
        return Arrays.stream(LayerCase.values())
                .filter(LayerCase::runs)
                .flatMap(layer -> types(layer)
                        .flatMap(type -> Stream.of(Lora.rank(2), Pissa.rank(2))
                                .map(method -> Arguments.of(layer, type, method))));
    }

    /** Gradients lose what the type cannot hold, and no more: three digits of half, seven of float. */
    @ParameterizedTest
    @MethodSource("layers")
    void gradients_are_those_of_float64_but_for_rounding(LayerCase layer, DataType type, AdapterMethod method) {
        MultiLayerNetwork exact = adapted(layer, DataType.DOUBLE, method);
        Adapted.disturb(exact, 0.1);
        MultiLayerNetwork rounded = adapted(layer, type, method);
        rounded.params().assign(exact.params().castTo(type));
        INDArray expected = gradient(exact, layer.data(DataType.DOUBLE));
        INDArray gradient = gradient(rounded, layer.data(type)).castTo(DataType.DOUBLE);
        assertThat(gradient.sub(expected).norm2Number().doubleValue())
                .isLessThan((type == DataType.HALF ? 2e-2 : 1e-5)
                        * expected.norm2Number().doubleValue());
    }

    private static MultiLayerNetwork adapted(LayerCase layer, DataType type, AdapterMethod method) {
        return new AdapterTransfer.Builder(layer.network(type))
                .method(method)
                .layers("adapted", "output")
                .build();
    }

    private static INDArray gradient(MultiLayerNetwork network, DataSet data) {
        network.setInput(data.getFeatures());
        network.setLabels(data.getLabels());
        network.computeGradientAndScore();
        return network.getFlattenedGradients();
    }

    @ParameterizedTest
    @CsvSource({"ENABLED,ENABLED", "NONE,ENABLED", "ENABLED,NONE"})
    void workspaces_change_nothing(WorkspaceMode training, WorkspaceMode inference) {
        for (LayerCase layer : Arrays.asList(LayerCase.DENSE, LayerCase.LSTM_CELLS, LayerCase.SELF_ATTENTION)) {
            MultiLayerNetwork expected = adapted(layer, WorkspaceMode.NONE, WorkspaceMode.NONE);
            MultiLayerNetwork network = adapted(layer, training, inference);
            for (int i = 0; i < 3; i++) {
                expected.fit(layer.data(DataType.FLOAT));
                network.fit(layer.data(DataType.FLOAT));
            }
            assertThatBits(network.params()).as(layer.name()).isEqualTo(expected.params());
            INDArray features = layer.data(DataType.FLOAT).getFeatures();
            assertThatBits(network.output(features)).as(layer.name()).isEqualTo(expected.output(features));
        }
    }

    private static MultiLayerNetwork adapted(LayerCase layer, WorkspaceMode training, WorkspaceMode inference) {
        MultiLayerNetwork network = layer.network(DataType.FLOAT);
        network.getLayerWiseConfigurations().setTrainingWorkspaceMode(training);
        network.getLayerWiseConfigurations().setInferenceWorkspaceMode(inference);
        return new AdapterTransfer.Builder(network)
                .method(Sorsa.rank(2))
                .layers("adapted", "output")
                .build();
    }

    @Test
    void a_summary_can_be_printed() {
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(Blobs.network(DataType.FLOAT))
                .method(Sorsa.rank(2))
                .build();
        assertThat(adapted.summary()).contains("W.sorsaA:{8,2}", "first");
    }
}
