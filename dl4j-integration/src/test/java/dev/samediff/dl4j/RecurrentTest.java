package dev.samediff.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.testing.Adapted;
import java.util.Random;
import org.deeplearning4j.gradientcheck.GradientCheckUtil;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;

/** Masks, stored state and truncated backpropagation through time. */
class RecurrentTest {
    private static final int STEPS = 6;

    @BeforeAll
    static void doubles() {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    }

    @AfterAll
    static void floats() {
        Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }

    private static MultiLayerNetwork network(Layer second, BackpropType type) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(2)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(1.0))
                .list()
                .layer(new LSTM.Builder()
                        .name("lstm")
                        .nIn(3)
                        .nOut(5)
                        .activation(Activation.TANH)
                        .build())
                .layer(second)
                .layer(new RnnOutputLayer.Builder()
                        .name("output")
                        .nIn(5)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build())
                .backpropType(type)
                .tBPTTLength(2)
                .build());
        network.init();
        return network;
    }

    private static Layer second() {
        return new SimpleRnn.Builder()
                .name("second")
                .nIn(5)
                .nOut(5)
                .activation(Activation.TANH)
                .build();
    }

    private static MultiLayerNetwork adapt(MultiLayerNetwork network, String... layers) {
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(network)
                .method(Sorsa.rank(2))
                .layers(layers)
                .build();
        Adapted.disturb(adapted, 0.1);
        return adapted;
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
        INDArray mask = Nd4j.ones(DataType.DOUBLE, 3, STEPS);
        mask.put(1, STEPS - 1, 0);
        mask.put(2, STEPS - 1, 0);
        mask.put(2, STEPS - 2, 0);
        return new DataSet(features, labels, mask, mask.dup());
    }

    @Test
    void gradients_agree_with_finite_differences_under_masks() {
        MultiLayerNetwork original = network(second(), BackpropType.Standard);
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(original)
                .method(Sorsa.rank(2).withGamma(0.01))
                .layers("lstm", "output")
                .build();
        Adapted.disturb(adapted, 0.1);
        DataSet data = data();
        assertThat(GradientCheckUtil.checkGradients(new GradientCheckUtil.MLNConfig()
                        .net(adapted)
                        .input(data.getFeatures())
                        .labels(data.getLabels())
                        .inputMask(data.getFeaturesMaskArray())
                        .labelMask(data.getLabelsMaskArray())
                        .subset(true)
                        .maxPerParam(4)
                        .excludeParams(Adapted.frozen(adapted))
                        .print(GradientCheckUtil.PrintMode.FAILURES_ONLY)))
                .isTrue();
    }

    @Test
    void what_is_masked_has_no_influence() {
        MultiLayerNetwork adapted = adapt(network(second(), BackpropType.Standard), "lstm", "second", "output");
        DataSet data = data();
        double score = adapted.score(data);
        data.getFeatures().putScalar(new int[] {2, 0, STEPS - 1}, 77);
        assertThat(adapted.score(data)).isEqualTo(score);
        data.getFeatures().putScalar(new int[] {2, 0, 0}, 77);
        assertThat(adapted.score(data)).isNotEqualTo(score);
    }

    @Test
    void stored_state_gives_what_the_whole_sequence_gives() {
        INDArray features = data().getFeatures();
        for (String[] layers : new String[][] {{"lstm", "second", "output"}, {"lstm"}, {"second"}, {"output"}}) {
            MultiLayerNetwork adapted = adapt(network(second(), BackpropType.Standard), layers);
            INDArray whole = adapted.output(features);
            adapted.rnnClearPreviousState();
            for (int t = 0; t < STEPS; t++) {
                INDArray step = adapted.rnnTimeStep(
                        features.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(t, t + 1)));
                INDArray expected = whole.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(t, t + 1));
                assertThat(Adapted.difference(expected, step)).isLessThan(1e-12);
            }
        }
    }

    @Test
    void truncated_backpropagation_updates_after_every_piece_and_learns() {
        MultiLayerNetwork adapted = adapt(network(second(), BackpropType.TruncatedBPTT), "lstm", "second");
        adapted.setLearningRate(0.05);
        double before = adapted.score(data());
        for (int i = 0; i < 10; i++) {
            adapted.fit(data());
        }
        assertThat(adapted.score(data())).isLessThan(before);
        assertThat(adapted.getIterationCount()).isEqualTo(10 * STEPS / 2);
    }
}
