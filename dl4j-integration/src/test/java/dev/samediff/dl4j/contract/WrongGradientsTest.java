package dev.samediff.dl4j.contract;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.dl4j.weight.WrongDropout;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.distribution.NormalDistribution;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;
import org.deeplearning4j.nn.conf.weightnoise.WeightNoise;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What DL4J M2.1 gets wrong in networks without adapters; when one of these fails, a refusal or a workaround can go. */
class WrongGradientsTest {
    private static final double[][] PADDED = {{1, 1, 1, 0, 0}};

    @BeforeAll
    static void doubles() {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    }

    @AfterAll
    static void floats() {
        Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }

    private static Example example(Class<?> type) {
        return LayerCells.examples().stream()
                .filter(example -> example.type() == type)
                .findFirst()
                .orElseThrow();
    }

    private static double off(Example example) {
        MultiLayerNetwork network = Networks.around(example, example.layer().get());
        Set<String> ignored = Set.copyOf(example.untrained(network));
        Set<String> trained = new TreeSet<>(network.paramTable().keySet());
        trained.removeAll(ignored);
        return Deviation.of(new Trial(network, Networks.data(example)), trained, ignored)
                .relative();
    }

    private static Example noisy(IWeightNoise noise) {
        return example(DenseLayer.class).with(layer -> ((DenseLayer) layer).setWeightNoise(noise));
    }

    static List<IWeightNoise> multiplied() {
        return List.of(new DropConnect(0.7), new WeightNoise(new NormalDistribution(1, 0.3), false));
    }

    @ParameterizedTest
    @MethodSource("multiplied")
    void the_gradient_under_noise_that_multiplies_leaves_the_noise_out(IWeightNoise noise) {
        assertThat(off(noisy(noise))).isGreaterThan(0.1);
    }

    @Test
    void the_gradient_under_noise_that_is_added_is_right() {
        assertThat(off(noisy(new WeightNoise(new NormalDistribution(0, 0.3), true))))
                .isLessThan(Contract.GRADIENT);
    }

    static Stream<Class<?>> dropping() {
        return LayerCells.examples().stream()
                .filter(example -> WrongDropout.isIn(example.with(layer -> layer.setIDropout(new Dropout(0.6)))
                        .layer()
                        .get()))
                .map(Example::type);
    }

    @ParameterizedTest
    @MethodSource("dropping")
    void the_gradient_of_these_under_dropout_is_wrong(Class<?> type) {
        assertThat(off(example(type).with(layer -> layer.setIDropout(new Dropout(0.6)))))
                .isGreaterThan(0.1);
        assertThat(off(example(type))).isLessThan(Contract.GRADIENT);
    }

    private static MultiLayerNetwork recurrent(Layer layer, boolean isLast) {
        NeuralNetConfiguration.ListBuilder list = Networks.settings().list().layer(layer);
        list.layer(
                isLast
                        ? OutputExamples.output()
                        : new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(3)
                                .activation(Activation.SOFTMAX)
                                .build());
        MultiLayerNetwork network = new MultiLayerNetwork(
                list.setInputType(InputType.recurrent(4, 5)).build());
        network.init();
        return network;
    }

    private static INDArray sequence() {
        return Nd4j.linspace(-1, 1.3, 20, DataType.DOUBLE).reshape(1, 4, 5);
    }

    @Test
    void an_lstm_in_a_wrapper_ignores_its_mask_on_the_way_back() {
        MultiLayerNetwork network =
                recurrent(new LastTimeStep(new Bidirectional(Bidirectional.Mode.ADD, SequenceExamples.lstm())), true);
        MultiDataSet data = new MultiDataSet(
                new INDArray[] {sequence()},
                new INDArray[] {Example.classes(1, 3)},
                new INDArray[] {Nd4j.createFromArray(PADDED)},
                null);
        Deviation deviation = Deviation.of(
                new Trial(network, data), new TreeSet<>(network.paramTable().keySet()), Set.of());
        assertThat(deviation.relative()).isGreaterThan(0.1);
    }

    @Test
    void a_bidirectional_layer_that_stands_alone_reads_padding() {
        MultiLayerNetwork network =
                recurrent(new Bidirectional(Bidirectional.Mode.CONCAT, SequenceExamples.lstm()), false);
        INDArray labels = Example.classes(1, 3, 5);
        INDArray mask = Nd4j.createFromArray(PADDED);
        double masked = network.score(new DataSet(sequence(), labels, mask, mask.dup()));
        double cut = network.score(new DataSet(
                sequence()
                        .get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(0, 3))
                        .dup(),
                labels.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(0, 3))
                        .dup()));
        assertThat(Math.abs(masked - cut)).isGreaterThan(1e-3);
    }

    @Test
    void a_prelu_layer_overwrites_the_features_of_a_user_at_test_time() {
        MultiLayerNetwork network = new MultiLayerNetwork(Networks.settings()
                .list()
                .layer(new PReLULayer.Builder().inputShape(4).build())
                .layer(OutputExamples.output())
                .setInputType(InputType.feedForward(4))
                .build());
        network.init();
        INDArray features = Nd4j.linspace(-1, 1, 4, DataType.DOUBLE).reshape(1, 4);
        INDArray before = features.dup();
        network.output(features);
        assertThatBits(features).isNotEqualTo(before);
    }

    @Test
    void a_frozen_layer_counts_too_few_parameters() {
        Layer layer = new VariationalAutoencoder.Builder()
                .nIn(4)
                .nOut(3)
                .encoderLayerSizes(5)
                .decoderLayerSizes(5)
                .build();
        NeuralNetConfiguration conf = new NeuralNetConfiguration();
        conf.setLayer(layer);
        assertThat(new FrozenLayer(layer).initializer().numParams(new FrozenLayer(layer)))
                .isLessThan(layer.initializer().numParams(conf));
    }
}
