package dev.samediff.adapters.train.loss;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.loss.WeightedItems.Labels;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Losses built of ops whose gradients are right. SameDiff's own {@code softmaxCrossEntropy} and
 * {@code sparseSoftmaxCrossEntropy} ignore the upstream gradient, so that a mask or a mean is lost.
 *
 * <p>All are weighted means over items i, tokens, examples or single numbers, of weight w_i (the label mask) and loss l_i:
 *
 * <pre>
 * loss = sum_i w_i l_i / sum_i w_i,   0 if every w_i is 0
 * </pre>
 *
 * <p>Weights are finite and 0 or more, usually 0 or 1; their sum is taken in float64 and may be below 1. Weights of classes are
 * given as weights of the items: torch's {@code CrossEntropyLoss(weight)} is this mean.
 *
 * <p>The placeholders are called {@code labels} and {@code label_mask}, or the same with a number where the name is taken. A
 * second call with the same arguments returns the first one's loss.
 */
public final class Losses {
    private Losses() {}

    /**
     * Adds the cross entropy of next tokens, averaged over the labelled tokens:
     * {@code sum(mask * -log softmax(logits)[label]) / sum(mask)}. Labels are already shifted; a label whose mask is 0 may
     * be anything. So may those of a decoder that reads an encoder.
     *
     * @param graph the graph to add to; gets the placeholders {@code labels [B,T]} INT32 and {@code label_mask [B,T]} FLOAT
     * @param logits name of the scores [B,T,V]
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss causalLm(SameDiff graph, String logits) {
        return classes(graph, logits, "causal_lm_loss", 2, 0);
    }

    /**
     * Adds the cross entropy of hidden tokens, as {@link #causalLm}: the label of a token is the token itself, the mask is 1
     * where it was hidden.
     *
     * @param graph the graph to add to
     * @param logits name of the scores [B,T,V]
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss maskedLm(SameDiff graph, String logits) {
        return classes(graph, logits, "masked_lm_loss", 2, 0);
    }

    /**
     * Adds the cross entropy of the classes of tokens, as {@link #causalLm}: the mask is 0 at padding and at pieces of words that
     * have no label of their own.
     *
     * @param graph the graph to add to
     * @param logits name of the scores [B,T,C]
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss tokenClassification(SameDiff graph, String logits) {
        return classes(graph, logits, "token_classification_loss", 2, 0);
    }

    /**
     * Adds the cross entropy of classes, averaged over the labelled examples. As {@link #causalLm} with scores [B,C],
     * labels [B] and mask [B].
     *
     * @param graph the graph to add to
     * @param logits name of the scores [B,C]
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss classification(SameDiff graph, String logits) {
        return classes(graph, logits, "classification_loss", 1, 0);
    }

    /**
     * Adds the cross entropy of classes with smoothed labels: {@code 1 - e} of a label is its class, e is spread over all C
     * classes, as torch's {@code label_smoothing} does.
     *
     * @param graph the graph to add to
     * @param logits name of the scores [B,C]
     * @param smoothing e, from 0 to below 1
     * @throws InvalidInputException if there is no such variable, or e is out of range
     */
    public static TaskLoss classification(SameDiff graph, String logits, double smoothing) {
        if (!(smoothing >= 0 && smoothing < 1)) {
            throw new InvalidInputException(
                    "the label smoothing is " + smoothing + "; expected a number from 0 to below 1");
        }
        return classes(
                graph, logits, "classification_loss" + (smoothing == 0 ? "" : "_smoothed_" + smoothing), 1, smoothing);
    }

    private static TaskLoss classes(SameDiff graph, String logits, String kind, int axes, double smoothing) {
        WeightedItems items = WeightedItems.of(graph, logits, kind, Labels.CLASSES, axes);
        return items.mean(new CrossEntropy(items, smoothing));
    }

    /**
     * Adds the binary cross entropy of classes of which an example may have several or none, averaged over the labelled
     * entries: {@code -y log sigmoid(z) - (1 - y) log(1 - sigmoid(z))}.
     *
     * @param graph the graph to add to; gets the placeholders {@code labels [B,C]} FLOAT, 1 where an example has a class and 0
     *     elsewhere, and {@code label_mask [B,C]} FLOAT
     * @param logits name of the scores [B,C]
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss multiLabel(SameDiff graph, String logits) {
        WeightedItems items = WeightedItems.of(graph, logits, "multi_label_loss", Labels.NUMBERS, 2);
        return items.mean(labels -> {
            SDVariable z = flat(items);
            SDVariable m = CrossEntropy.nearest(graph, graph.nn.relu(z, 0));
            SDVariable softplus = graph.math
                    .log(graph.math.exp(z.sub(m)).add(graph.math.exp(m.neg())))
                    .add(m);
            return softplus.sub(z.mul(labels.castTo(items.type())));
        });
    }

    /**
     * Adds the mean of squared errors over the labelled entries.
     *
     * @param graph the graph to add to; gets the placeholders {@code labels [B,N]} FLOAT and {@code label_mask [B,N]} FLOAT
     * @param predictions name of the predictions [B,N]
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss regression(SameDiff graph, String predictions) {
        WeightedItems items = WeightedItems.of(graph, predictions, "regression_loss", Labels.NUMBERS, 2);
        return items.mean(labels -> {
            SDVariable error = flat(items).sub(labels.castTo(items.type()));
            return error.mul(error);
        });
    }

    private static SDVariable flat(WeightedItems items) {
        SDVariable row = items.scores().reshape(-1);
        return row.dataType() == items.type() ? row : row.castTo(items.type());
    }
}
