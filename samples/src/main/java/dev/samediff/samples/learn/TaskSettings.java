package dev.samediff.samples.learn;

import dev.samediff.adapters.task.Pooling;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What makes a task of texts this one: all that must be known to build its model again. Stands in {@code task.json}.
 *
 * @param labels names of classes or tags, in the order of the scores; none where there are no classes
 * @param form the form of the data, where a task has several
 * @param scores the model's own output that is learned; null for a new head, or what is found
 * @param pooling how a text's features become one vector; null where tokens have their own
 * @param features the output that a head or an embedding is put on; null for the first that fits
 * @param seed seed of a new head
 * @param decoderStart token that a decoder begins with; null where there is none
 * @param loss the loss, where a task has several; null for its usual one
 * @param beta its strength, where it has one; null for the usual one
 */
public record TaskSettings(
        List<String> labels,
        String form,
        @Nullable String scores,
        @Nullable Pooling pooling,
        @Nullable String features,
        long seed,
        @Nullable Integer decoderStart,
        @Nullable String loss,
        @Nullable Double beta) {
    /** Returns this for data with these classes, of this form. */
    public TaskSettings of(Examples<?> examples) {
        return new TaskSettings(
                examples.labels(), examples.form(), scores, pooling, features, seed, decoderStart, loss, beta);
    }

    /** Returns whether the scores, or what a new head is put on, were named. */
    public boolean choosesHead() {
        return scores != null || pooling != null || features != null;
    }

    /** Returns this with an output of the model that is learned. */
    public TaskSettings withScores(String output) {
        return new TaskSettings(labels, form, output, pooling, features, seed, decoderStart, loss, beta);
    }

    /** Returns this with another pooling. */
    public TaskSettings withPooling(Pooling newPooling) {
        return new TaskSettings(labels, form, scores, newPooling, features, seed, decoderStart, loss, beta);
    }

    /** Returns this with a token that the decoder begins with. */
    public TaskSettings withDecoderStart(int token) {
        return new TaskSettings(labels, form, scores, pooling, features, seed, token, loss, beta);
    }

    /** Returns this with a loss and its strength. */
    public TaskSettings withLoss(String newLoss, double newBeta) {
        return new TaskSettings(labels, form, scores, pooling, features, seed, decoderStart, newLoss, newBeta);
    }
}
