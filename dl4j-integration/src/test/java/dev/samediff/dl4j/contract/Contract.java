package dev.samediff.dl4j.contract;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.dl4j.AdapterTransfer;
import dev.samediff.dl4j.testing.Adapted;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collection;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/** What an adapted network of either kind promises, whatever layers it is made of. */
final class Contract {
    static final double GRADIENT = 1e-6;
    private static final double OUTPUT = 1e-10;
    private static final double VISIBLE = 1e-5;

    private Contract() {}

    /**
     * Checks a network just adapted: it computes what the original does, and its gradient is right.
     *
     * @param original the network it was made of
     * @param adapted the adapted network; it is trained
     * @param trained all parameters that are trained
     * @param ignored parameters that DL4J moves by another rule than the gradient of the score
     * @param random whether something is random in training
     * @return how far off the gradient is
     */
    static Deviation gradient(
            Model original,
            Model adapted,
            MultiDataSet data,
            Collection<String> trained,
            Collection<String> ignored,
            boolean random) {
        Trial trial = new Trial(adapted, data);
        assertThat(Adapted.difference(new Trial(original, data).output(), trial.output()))
                .as("the output before training")
                .isLessThan(OUTPUT);
        Adapted.disturb(adapted, 0.2);
        assertThat(trial.score(false)).as("the score again").isEqualTo(trial.score(false));
        if (!random) {
            assertThat(trial.score(true)).as("the score in training").isEqualTo(trial.score(false));
        }
        Deviation deviation = Deviation.of(trial, trained, ignored);
        assertThat(deviation.relative()).as("the gradient: %s", deviation).isLessThan(GRADIENT);
        assertThat(deviation.moved()).as("what is frozen: %s", deviation).isZero();
        assertThat(deviation.norm()).as("the gradient: %s", deviation).isGreaterThan(VISIBLE);
        return deviation;
    }

    /** Checks a network as {@link #gradient} does; its gradients are all there, and it is merged, unloaded, saved and loaded. */
    static void check(
            Model original,
            Model adapted,
            MultiDataSet data,
            Collection<String> trained,
            Collection<String> ignored,
            boolean random) {
        assertThatBits(unloaded(adapted).params()).isEqualTo(original.params());
        Deviation deviation = gradient(original, adapted, data, trained, ignored, random);
        assertThat(deviation.smallest())
                .as("the smallest gradient: %s", deviation)
                .isPositive();
        INDArray output = new Trial(adapted, data).output();
        assertThat(Adapted.difference(new Trial(merged(adapted), data).output(), output))
                .as("the output after merging")
                .isLessThan(OUTPUT);
        assertThatBits(new Trial(reloaded(adapted), data).output())
                .as("the output after loading")
                .isEqualTo(output);
    }

    private static Model merged(Model adapted) {
        return adapted instanceof MultiLayerNetwork list
                ? AdapterTransfer.merge(list)
                : AdapterTransfer.merge((ComputationGraph) adapted);
    }

    private static Model unloaded(Model adapted) {
        return adapted instanceof MultiLayerNetwork list
                ? AdapterTransfer.unload(list)
                : AdapterTransfer.unload((ComputationGraph) adapted);
    }

    private static Model reloaded(Model adapted) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            ModelSerializer.writeModel(adapted, bytes, true);
            ByteArrayInputStream file = new ByteArrayInputStream(bytes.toByteArray());
            return adapted instanceof MultiLayerNetwork
                    ? ModelSerializer.restoreMultiLayerNetwork(file, true)
                    : ModelSerializer.restoreComputationGraph(file, true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
