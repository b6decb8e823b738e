package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.testing.Blobs;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.learning.regularization.L2Regularization;

/** Weight decay, activation and bias are those that the original layer had. */
class InheritedSettingsTest {
    private static final double L2 = 0.1;
    private static final double LARGEST = 0.5;

    private static MultiLayerNetwork network() {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Sgd(0.1))
                .l2(L2)
                .list()
                .layer(new DenseLayer.Builder()
                        .name("first")
                        .nIn(Blobs.FEATURES)
                        .nOut(6)
                        .activation(Activation.SWISH)
                        .biasInit(0.3)
                        .constrainBias(new MaxNormConstraint(LARGEST, 1))
                        .build())
                .layer(new OutputLayer.Builder()
                        .name("output")
                        .nIn(6)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        network.init();
        return network;
    }

    @Test
    void weight_decay_acts_on_the_tensors_and_shows_in_the_score() {
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(network())
                .method(Sorsa.rank(2).withGamma(0))
                .layers("first")
                .build();
        assertThat(adapted.getLayer(0).getConfig().getRegularizationByParam("W.sorsaS"))
                .containsExactly(new L2Regularization(L2));
        double squares = 0;
        for (String name : new String[] {"0_W.sorsaA", "0_W.sorsaS", "0_W.sorsaB"}) {
            INDArray tensor = adapted.getParam(name);
            squares += tensor.mul(tensor).sumNumber().doubleValue();
        }
        assertThat(adapted.calcRegularizationScore(true)).isCloseTo(0.5 * L2 * squares, within(1e-6));
    }

    @Test
    void merging_gives_the_settings_back() {
        MultiLayerNetwork original = network();
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(original)
                .method(Pissa.rank(2))
                .layers("output")
                .build();
        BaseLayer layer = (BaseLayer) AdapterTransfer.merge(adapted)
                .getLayerWiseConfigurations()
                .getConf(0)
                .getLayer();
        assertThat(layer)
                .isEqualTo(original.getLayerWiseConfigurations().getConf(0).getLayer());
        assertThat(layer.getConstraints()).hasSize(1);
        assertThatBits(adapted.getParam("0_b")).isEqualTo(original.getParam("0_b"));
    }
}
