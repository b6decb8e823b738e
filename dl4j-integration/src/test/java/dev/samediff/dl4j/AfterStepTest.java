package dev.samediff.dl4j;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.RankBudget;
import dev.samediff.adapters.method.Sorsa;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.learning.config.Sgd;

/** Methods that act after every update are refused where nobody tells them of updates. */
class AfterStepTest {
    private static MultiLayerNetwork network() {
        MultiLayerConfiguration configuration = new NeuralNetConfiguration.Builder()
                .updater(new Sgd(0.1))
                .list(
                        new DenseLayer.Builder().nIn(6).nOut(5).build(),
                        new OutputLayer.Builder().nIn(5).nOut(4).build())
                .build();
        MultiLayerNetwork network = new MultiLayerNetwork(configuration);
        network.init();
        return network;
    }

    @Test
    void a_budget_that_cuts_ranks_is_refused_and_one_that_keeps_them_is_trained() {
        AdaLora cuts = AdaLora.rank(3);
        assertThatThrownBy(() -> new AdapterTransfer.Builder(network()).method(cuts))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("adalora")
                .hasMessageContaining("target = rank");
        assertThatThrownBy(() -> new AdapterTransfer.Builder(network())
                        .method(Sorsa.rank(2).withRetraction(5)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("retraction");
        AdaLora keeps = cuts.withBudget(RankBudget.DEFAULT.withTarget(3));
        assertThatCode(() -> new AdapterTransfer.Builder(network())
                        .method(keeps)
                        .layers(0)
                        .build())
                .doesNotThrowAnyException();
    }
}
