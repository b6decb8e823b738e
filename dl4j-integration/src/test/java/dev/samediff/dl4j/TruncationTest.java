package dev.samediff.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.dl4j.testing.Adapted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * Truncated backpropagation through time. With a learning rate of 0 every piece of a sequence sees the same parameters, so
 * that its gradient can be compared: the first piece's with finite differences of its score, and every piece's with that of
 * the merged network, DL4J's own, turned into the gradients of A and B.
 */
class TruncationTest {
    private static final int STEPS = 6;
    private static final int PIECE = 2;

    @BeforeAll
    static void doubles() {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    }

    @AfterAll
    static void floats() {
        Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }

    private static BaseRecurrentLayer lstm() {
        return new LSTM.Builder().nIn(3).nOut(4).activation(Activation.TANH).build();
    }

    private static BaseRecurrentLayer graves() {
        return new GravesLSTM.Builder()
                .nIn(3)
                .nOut(4)
                .activation(Activation.TANH)
                .build();
    }

    private static BaseRecurrentLayer simple() {
        return new SimpleRnn.Builder()
                .nIn(3)
                .nOut(4)
                .activation(Activation.TANH)
                .build();
    }

    private static MultiLayerNetwork network(Layer first, boolean dropout) {
        SimpleRnn second = new SimpleRnn.Builder()
                .nIn(4)
                .nOut(4)
                .activation(Activation.TANH)
                .build();
        if (dropout) {
            first.setIDropout(new Dropout(0.5));
        }
        first.setLayerName("first");
        second.setLayerName("second");
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(2)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0))
                .list()
                .layer(first)
                .layer(second)
                .layer(new RnnOutputLayer.Builder()
                        .name("output")
                        .nIn(4)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build())
                .backpropType(BackpropType.TruncatedBPTT)
                .tBPTTLength(PIECE)
                .build());
        network.init();
        return network;
    }

    private static DataSet data() {
        Random random = new Random(4);
        INDArray features = Nd4j.create(DataType.DOUBLE, 3, 3, STEPS);
        for (long i = 0; i < features.length(); i++) {
            features.putScalar(i, random.nextGaussian());
        }
        INDArray labels = Nd4j.zeros(DataType.DOUBLE, 3, 2, STEPS);
        for (int i = 0; i < 3; i++) {
            for (int t = 0; t < STEPS; t++) {
                labels.putScalar(new int[] {i, random.nextInt(2), t}, 1);
            }
        }
        return new DataSet(features, labels);
    }

    /** What every piece's step saw. */
    private static final class Pieces extends BaseTrainingListener {
        private final List<Double> scores = new ArrayList<>();
        private final List<Map<String, INDArray>> gradients = new ArrayList<>();

        @Override
        public void onGradientCalculation(Model model) {
            scores.add(model.score());
            Map<String, INDArray> copies = new LinkedHashMap<>();
            model.gradient().gradientForVariable().forEach((name, array) -> copies.put(name, array.dup()));
            gradients.add(copies);
        }

        static Pieces of(MultiLayerNetwork network) {
            Pieces pieces = new Pieces();
            network.rnnClearPreviousState();
            network.setListeners(pieces);
            network.fit(data());
            assertThat(pieces.gradients).hasSize(STEPS / PIECE);
            return pieces;
        }
    }

    static Stream<Arguments> cases() {
        return Stream.of(lstm(), graves(), simple())
                .flatMap(layer -> Stream.of(Lora.rank(2), Pissa.rank(2))
                        .flatMap(method -> Stream.of("first", "second", "output")
                                .map(adapted -> Arguments.of(layer, method, adapted))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void the_gradient_of_every_piece_is_right(BaseRecurrentLayer layer, AdapterMethod method, String adaptedLayer) {
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(network(layer.clone(), false))
                .method(method)
                .layers(adaptedLayer)
                .build();
        Adapted.disturb(adapted, 0.2);
        Pieces pieces = Pieces.of(adapted);
        Pieces merged = Pieces.of(AdapterTransfer.merge(adapted));
        for (int piece = 0; piece < STEPS / PIECE; piece++) {
            assertThat(pieces.scores.get(piece)).isCloseTo(merged.scores.get(piece), within(1e-10));
            for (String name : Adapted.trainable(adapted)) {
                INDArray expected = ofTensor(adapted, name, merged.gradients.get(piece));
                assertThat(Adapted.difference(pieces.gradients.get(piece).get(name), expected))
                        .as("%s of piece %d", name, piece)
                        .isLessThan(1e-9);
            }
        }
        for (String name : Adapted.trainable(adapted)) {
            INDArray tensor = adapted.getParam(name);
            double step = 1e-5;
            double value = tensor.getDouble(0, 0);
            tensor.putScalar(0, 0, value + step);
            double above = Pieces.of(adapted).scores.get(0);
            tensor.putScalar(0, 0, value - step);
            double below = Pieces.of(adapted).scores.get(0);
            tensor.putScalar(0, 0, value);
            INDArray gradient = pieces.gradients.get(0).get(name);
            assertThat(gradient.getDouble(0, 0) / 3).as(name).isCloseTo((above - below) / (2 * step), within(1e-8));
        }
    }

    /** {@code dL/dA = s dL/dW B^T}, {@code dL/dB = s A^T dL/dW}; the scaling is 1 here. */
    private static INDArray ofTensor(MultiLayerNetwork adapted, String name, Map<String, INDArray> ofWeights) {
        String weight = name.substring(0, name.indexOf('.'));
        INDArray a = adapted.getParam(weight + ".loraA");
        INDArray b = adapted.getParam(weight + ".loraB");
        INDArray ofWeight = ofWeights.get(weight);
        if (ofWeight.columns() != b.columns()) {
            ofWeight = ofWeight.get(NDArrayIndex.all(), NDArrayIndex.interval(0, b.columns()));
        }
        return name.endsWith("loraA")
                ? ofWeight.mmul(b.transpose())
                : a.transpose().mmul(ofWeight);
    }

    @ParameterizedTest
    @ValueSource(strings = {"output", "second"})
    void frozen_layers_with_dropout_drop_nothing_in_any_piece(String adaptedLayer) {
        List<List<Double>> scores = Stream.of(true, false)
                .map(dropout -> network(graves(), dropout))
                .map(network -> new AdapterTransfer.Builder(network)
                        .method(Lora.rank(2))
                        .layers(adaptedLayer)
                        .build())
                .map(adapted -> Pieces.of(adapted).scores)
                .toList();
        assertThat(scores.get(0)).isEqualTo(scores.get(1));
    }

    static Stream<Layer> stateless() {
        return Stream.of(
                new MaskZeroLayer(lstm(), 0.0),
                new Bidirectional(Bidirectional.Mode.ADD, lstm()),
                new MaskZeroLayer(new Bidirectional(Bidirectional.Mode.ADD, lstm()), 0.0));
    }

    @ParameterizedTest
    @MethodSource("stateless")
    void layers_that_lose_their_state_between_the_pieces_are_refused_by_name(Layer layer) {
        MultiLayerNetwork network = network(layer, false);
        assertThatThrownBy(() -> new AdapterTransfer.Builder(network)
                        .method(Lora.rank(2))
                        .layers("output")
                        .build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`first`", layer.getClass().getSimpleName(), "truncated", "Standard");
    }
}
