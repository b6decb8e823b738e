package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.dl4j.testing.Adapted;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.layers.LayerConstraint;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.constraint.MinMaxNormConstraint;
import org.deeplearning4j.nn.conf.constraint.NonNegativeConstraint;
import org.deeplearning4j.nn.conf.constraint.UnitNormConstraint;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** Constraints and weight noise hold for W, not for what an adapter adds to it: on adapted weights they are refused. */
class ConstraintsTest {
    static Stream<Arguments> constraints() {
        List<LayerConstraint> all = List.of(
                new NonNegativeConstraint(),
                new MaxNormConstraint(0.5, 0),
                new UnitNormConstraint(0),
                new MinMaxNormConstraint(0.2, 0.5, 0));
        List<Function<Layer, Layer>> wrappers =
                List.of(layer -> layer, layer -> new MaskZeroLayer(layer, 0.0), layer -> new Bidirectional(layer));
        return all.stream().flatMap(constraint -> wrappers.stream().map(wrapper -> Arguments.of(constraint, wrapper)));
    }

    private static MultiLayerNetwork network(
            @Nullable LayerConstraint constraint, @Nullable IWeightNoise noise, Function<Layer, Layer> wrapper) {
        LSTM.Builder lstm = new LSTM.Builder().nIn(3).nOut(4).activation(Activation.TANH);
        if (constraint != null) {
            lstm.constrainRecurrent(constraint);
        }
        if (noise != null) {
            lstm.weightNoise(noise);
        }
        Layer layer = wrapper.apply(lstm.build());
        layer.setLayerName("lstm");
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Sgd(0.5))
                .list()
                .layer(layer)
                .layer(new RnnOutputLayer.Builder()
                        .name("output")
                        .nIn(layer instanceof Bidirectional ? 8 : 4)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.recurrent(3, 5))
                .build());
        network.init();
        return network;
    }

    private static DataSet data() {
        INDArray labels = Nd4j.zeros(2, 2, 5);
        labels.tensorAlongDimension(0, 0, 2).getRow(0).assign(1);
        labels.tensorAlongDimension(1, 0, 2).getRow(1).assign(1);
        INDArray features = Nd4j.linspace(-1, 1, 30, Nd4j.dataType()).reshape(2, 3, 5);
        return new DataSet(features, labels);
    }

    private static AdapterTransfer.Builder transfer(MultiLayerNetwork network) {
        return new AdapterTransfer.Builder(network).method(Lora.rank(2));
    }

    @ParameterizedTest
    @MethodSource("constraints")
    void a_constraint_on_an_adapted_weight_is_refused_with_what_to_do(
            LayerConstraint constraint, Function<Layer, Layer> wrapper) {
        MultiLayerNetwork network = network(constraint, null, wrapper);
        assertThatThrownBy(() -> transfer(network).build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll(
                        "RW of the layer `lstm`",
                        constraint.getClass().getSimpleName(),
                        "leave the layer out",
                        "trainFully(\"lstm\")",
                        "setConstraints(null)");
    }

    @ParameterizedTest
    @MethodSource("constraints")
    void a_constraint_on_a_frozen_weight_moves_nothing(LayerConstraint constraint, Function<Layer, Layer> wrapper) {
        MultiLayerNetwork adapted =
                transfer(network(constraint, null, wrapper)).layers("output").build();
        MultiLayerNetwork before = adapted.clone();
        adapted.fit(data());
        for (String name : Adapted.frozen(adapted)) {
            assertThatBits(adapted.getParam(name)).as(name).isEqualTo(before.getParam(name));
        }
    }

    @Test
    void a_constraint_on_the_other_weight_of_a_layer_is_no_hindrance() {
        MultiLayerNetwork adapted = transfer(network(new NonNegativeConstraint(), null, layer -> layer))
                .layers("lstm.W")
                .build();
        assertThat(Adapted.trainable(adapted)).containsExactly("0_W.loraA", "0_W.loraB");
    }

    @Test
    void a_constraint_holds_for_a_layer_that_is_trained_in_full() {
        MultiLayerNetwork adapted = transfer(network(new NonNegativeConstraint(), null, layer -> layer))
                .layers("output")
                .trainFully("lstm")
                .build();
        adapted.fit(data());
        assertThat(adapted.getParam("0_RW").minNumber().doubleValue()).isNotNegative();
    }

    @Test
    void weight_noise_on_a_weight_that_is_trained_is_refused_with_what_to_do() {
        MultiLayerNetwork network = network(null, new DropConnect(0.5), layer -> new MaskZeroLayer(layer, 0.0));
        assertThatThrownBy(() -> transfer(network).layers("lstm").build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`lstm`", "DropConnect", "setWeightNoise(null)");
        assertThatThrownBy(() ->
                        transfer(network).layers("output").trainFully("lstm").build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`lstm`", "DropConnect", "setWeightNoise(null)");
        assertThat(Adapted.trainable(transfer(network).layers("output").build()))
                .isNotEmpty();
    }
}
