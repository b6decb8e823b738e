package dev.samediff.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.method.OrthonormalPenalty;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.testing.Adapted;
import dev.samediff.dl4j.testing.Blobs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.optimize.listeners.CollectScoresListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** Equation 10 of the SORSA paper in DL4J's terms. */
class PenaltyTest {
    private static final double GAMMA = 0.3;
    private static final double RATE = 0.05;
    private static final Sorsa METHOD = Sorsa.rank(2).withGamma(GAMMA);

    private static MultiLayerNetwork adapted(Sorsa method) {
        MultiLayerNetwork network = new AdapterTransfer.Builder(Blobs.network(DataType.DOUBLE))
                .method(method)
                .fineTuneConfiguration(
                        FineTuneConfiguration.builder().updater(new Sgd(RATE)).build())
                .build();
        Adapted.disturb(network, 0.1);
        return network;
    }

    private static DataSet data() {
        DataSet data = Blobs.data(12, 0, 1);
        return new DataSet(
                data.getFeatures().castTo(DataType.DOUBLE), data.getLabels().castTo(DataType.DOUBLE));
    }

    /** The penalty by the core's own closed form. */
    private static double penalty(MultiLayerNetwork network, Sorsa method) {
        List<Map<String, INDArray>> sites = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Map<String, INDArray> site = new LinkedHashMap<>();
            site.put("sorsa_A", network.getParam(i + "_W.sorsaA"));
            site.put("sorsa_B", network.getParam(i + "_W.sorsaB"));
            sites.add(site);
        }
        return method.penalty().orElseThrow().evaluate(sites).value();
    }

    @ParameterizedTest
    @EnumSource(OrthonormalPenalty.Form.class)
    void the_score_is_the_task_s_and_gamma_by_eta_max_times_the_penalty(OrthonormalPenalty.Form form) {
        Sorsa method = METHOD.withRegularizer(form);
        MultiLayerNetwork network = adapted(method);
        DataSet data = data();
        double task = AdapterTransfer.merge(network).score(data);
        assertThat(network.score(data)).isCloseTo(task + GAMMA / RATE * penalty(network, method), within(1e-9));
    }

    @Test
    void listeners_see_the_true_score() {
        MultiLayerNetwork network = adapted(METHOD);
        DataSet data = data();
        double before = network.score(data, true);
        CollectScoresListener scores = new CollectScoresListener(1);
        network.setListeners(scores);
        network.fit(data);
        assertThat(scores.getListScore().getDouble(0)).isCloseTo(before, within(1e-9));
        assertThat(penalty(network, METHOD)).isPositive();
    }

    @Test
    void one_step_is_the_task_s_gradient_and_four_times_the_gram_error() {
        MultiLayerNetwork network = adapted(METHOD);
        MultiLayerNetwork without = adapted(METHOD.withGamma(0));
        without.setParams(network.params());
        DataSet data = data();
        INDArray u = network.getParam("0_W.sorsaA").dup();
        INDArray gram =
                u.transpose().mmul(u).subi(org.nd4j.linalg.factory.Nd4j.eye(2).castTo(DataType.DOUBLE));
        network.fit(data);
        without.fit(data);
        INDArray step = without.getParam("0_W.sorsaA").sub(network.getParam("0_W.sorsaA"));
        INDArray expected = u.mmul(gram).muli(4 * GAMMA / RATE * RATE);
        assertThat(Adapted.difference(step, expected)).isLessThan(1e-10);
        assertThat(Adapted.difference(without.getParam("0_W.sorsaS"), network.getParam("0_W.sorsaS")))
                .isZero();
    }

    @Test
    void clipping_does_not_touch_it() {
        MultiLayerNetwork network = new AdapterTransfer.Builder(Blobs.network(DataType.DOUBLE))
                .method(METHOD)
                .fineTuneConfiguration(FineTuneConfiguration.builder()
                        .updater(new Sgd(RATE))
                        .gradientNormalization(GradientNormalization.ClipElementWiseAbsoluteValue)
                        .gradientNormalizationThreshold(1e-12)
                        .build())
                .build();
        Adapted.disturb(network, 0.1);
        INDArray before = network.getParam("1_W.sorsaA").dup();
        network.fit(data());
        assertThat(Adapted.difference(before, network.getParam("1_W.sorsaA"))).isGreaterThan(1e-3);
    }

    @Test
    void it_holds_the_vectors_together() {
        MultiLayerNetwork held = adapted(METHOD.withGamma(0.05));
        MultiLayerNetwork free = adapted(METHOD.withGamma(0));
        held.fit(Blobs.batches(96, 2, 3), 5);
        free.fit(Blobs.batches(96, 2, 3), 5);
        assertThat(penalty(held, METHOD)).isLessThan(0.1 * penalty(free, METHOD));
    }
}
