package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.Ia3;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.testing.Adapted;
import dev.samediff.dl4j.testing.LayerCase;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.gradientcheck.GradientCheckUtil;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** What holds for every layer and every method. */
class LayerContractTest {
    @BeforeAll
    static void doubles() {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    }

    @AfterAll
    static void floats() {
        Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }

    static Stream<Arguments> cases() {
        return Arrays.stream(LayerCase.values())
                .filter(LayerCase::runs)
                .flatMap(layer -> Dl4jMethods.ofLayers().stream()
                        .filter(method -> !(method.equals(Ia3.NAME) && layer.isLookup()))
                        .map(method -> Arguments.of(layer, method(method))));
    }

    /** With a regulariser large enough to be seen in the gradient, and changes that are neither too small to be seen nor too large for differences. */
    private static AdapterMethod method(String name) {
        AdapterMethod method = Dl4jMethods.named(name, 2);
        return method instanceof Sorsa sorsa
                ? sorsa.withGamma(0.02)
                : method instanceof AdaLora adaLora ? adaLora.withAlpha(20) : method;
    }

    private static MultiLayerNetwork adapt(MultiLayerNetwork network, AdapterMethod method) {
        return new AdapterTransfer.Builder(network)
                .method(method)
                .layers("adapted", "output")
                .peakLearningRate(0.1)
                .build();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void gradients_agree_with_finite_differences(LayerCase layer, AdapterMethod method) {
        assumeThat(method.magnitude())
                .as("no gradient goes through lengths; see CompositionTest")
                .isEmpty();
        MultiLayerNetwork adapted = adapt(layer.network(DataType.DOUBLE), method);
        Adapted.disturb(adapted, 0.1);
        DataSet data = layer.data(DataType.DOUBLE);
        assertThat(GradientCheckUtil.checkGradients(new GradientCheckUtil.MLNConfig()
                        .net(adapted)
                        .input(data.getFeatures())
                        .labels(data.getLabels())
                        .epsilon(1e-6)
                        .maxRelError(1e-3)
                        .minAbsoluteError(1e-8)
                        .subset(true)
                        .maxPerParam(2)
                        .excludeParams(Adapted.frozen(adapted))
                        .print(GradientCheckUtil.PrintMode.FAILURES_ONLY)))
                .isTrue();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void the_output_is_the_original_s_until_training_and_merging_keeps_the_trained_one(
            LayerCase layer, AdapterMethod method) {
        MultiLayerNetwork original = layer.network(DataType.FLOAT);
        INDArray features = layer.data(DataType.FLOAT).getFeatures();
        MultiLayerNetwork adapted = adapt(original, method);
        assertThat(Adapted.difference(original.output(features), adapted.output(features)))
                .isLessThan(1e-5);
        Adapted.disturb(adapted, 0.1);
        INDArray trained = adapted.output(features);
        INDArray parameters = adapted.params().dup();
        assertThat(Adapted.difference(original.output(features), trained)).isGreaterThan(1e-3);
        MultiLayerNetwork merged = AdapterTransfer.merge(adapted);
        assertThat(Adapted.difference(merged.output(features), trained)).isLessThan(1e-5);
        assertThat(types(merged)).isEqualTo(types(original));
        assertThatBits(adapted.params()).isEqualTo(parameters);
        assertThatBits(AdapterTransfer.unload(adapted).params()).isEqualTo(original.params());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void training_moves_the_tensors_and_nothing_else(LayerCase layer, AdapterMethod method) {
        MultiLayerNetwork adapted = adapt(layer.network(DataType.FLOAT), method);
        MultiLayerNetwork before = adapted.clone();
        adapted.fit(layer.data(DataType.FLOAT));
        adapted.fit(layer.data(DataType.FLOAT));
        adapted.paramTable().forEach((name, array) -> {
            if (Adapted.trainable(adapted).contains(name)) {
                assertThat(Adapted.difference(array, before.paramTable().get(name)))
                        .as(name)
                        .isPositive();
            } else {
                assertThatBits(array).as(name).isEqualTo(before.paramTable().get(name));
            }
        });
    }

    @ParameterizedTest
    @MethodSource("cases")
    void configurations_survive_json_and_yaml(LayerCase layer, AdapterMethod method) {
        MultiLayerConfiguration conf =
                adapt(layer.network(DataType.FLOAT), method).getLayerWiseConfigurations();
        assertThat(MultiLayerConfiguration.fromJson(conf.toJson())).isEqualTo(conf);
        assertThat(MultiLayerConfiguration.fromYaml(conf.toYaml())).isEqualTo(conf);
        assertThat(MultiLayerConfiguration.fromJson(conf.toJson()).getConf(0).getLayer())
                .isEqualTo(conf.getConf(0).getLayer());
    }

    private static List<Class<?>> types(MultiLayerNetwork network) {
        return network.getLayerWiseConfigurations().getConfs().stream()
                .<Class<?>>map(conf -> conf.getLayer().getClass())
                .toList();
    }
}
