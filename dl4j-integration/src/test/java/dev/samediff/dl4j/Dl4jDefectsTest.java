package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.dl4j.testing.Blobs;
import dev.samediff.dl4j.testing.LayerCase;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Defects of DL4J M2.1 that are worked around; when one of these fails, the workaround can go. */
class Dl4jDefectsTest {
    @Test
    void gradients_of_samediff_layers_are_twice_too_large() {
        MultiLayerNetwork network = LayerCase.SELF_ATTENTION.network(DataType.DOUBLE);
        DataSet data = LayerCase.SELF_ATTENTION.data(DataType.DOUBLE);
        network.setInput(data.getFeatures());
        network.setLabels(data.getLabels());
        network.computeGradientAndScore();
        double gradient = network.gradient().getGradientFor("0_Wv").getDouble(0) / data.numExamples();
        INDArray weight = network.getParam("0_Wv");
        double value = weight.getDouble(0);
        double step = 1e-5;
        weight.putScalar(0, value + step);
        double above = network.score(data);
        weight.putScalar(0, value - step);
        double below = network.score(data);
        assertThat(gradient / ((above - below) / (2 * step))).isCloseTo(2, within(1e-4));
    }

    @Test
    void learned_self_attention_throws_in_its_first_forward_pass() {
        MultiLayerNetwork network = LayerCase.LEARNED_SELF_ATTENTION.network(DataType.FLOAT);
        INDArray features =
                LayerCase.LEARNED_SELF_ATTENTION.data(DataType.FLOAT).getFeatures();
        assertThatThrownBy(() -> network.output(features)).hasMessageContaining("scatter_update");
    }

    @Test
    void samediff_layers_do_not_take_over_parameters_that_are_set() {
        MultiLayerNetwork network = LayerCase.SELF_ATTENTION.network(DataType.FLOAT);
        INDArray before = network.getParam("0_Wv").dup();
        network.setParam("0_Wv", before.add(1));
        assertThatBits(network.getParam("0_Wv")).isEqualTo(before);
    }

    /** Names of gradients are cut at the last underscore: a parameter called {@code W.lora_A} belongs to no layer then. */
    @Test
    void parameters_with_an_underscore_in_their_name_find_no_layer() {
        MultiLayerNetwork network = Blobs.network(DataType.FLOAT);
        DataSet data = Blobs.data(4, 0, 1);
        network.setInput(data.getFeatures());
        network.setLabels(data.getLabels());
        network.computeGradientAndScore();
        network.gradient().setGradientFor("0_W.lora_A", Nd4j.zeros(2));
        assertThatThrownBy(() -> network.getUpdater()
                        .update(network, network.gradient(), 0, 0, 4, LayerWorkspaceMgr.noWorkspaces()))
                .isInstanceOf(NullPointerException.class);
    }

    @Test
    void adam_in_half_precision_gives_nan_in_its_first_step() {
        MultiLayerNetwork network = Blobs.network(DataType.HALF);
        DataSet data = Blobs.data(6, 0, 1);
        network.fit(data.getFeatures().castTo(DataType.HALF), data.getLabels().castTo(DataType.HALF));
        assertThat(network.params().castTo(DataType.FLOAT).sumNumber().doubleValue())
                .isNaN();
    }
}
