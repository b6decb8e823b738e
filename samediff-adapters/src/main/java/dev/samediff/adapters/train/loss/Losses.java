package dev.samediff.adapters.train.loss;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.loss.WeightedItems.Labels;
import java.util.stream.Stream;
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
            return GroupedItems.softplus(graph, z).sub(z.mul(labels.castTo(items.type())));
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

    /**
     * Adds the cross entropy of the tokens that a decoder writes while it reads an encoder, as {@link #causalLm}. Labels are the
     * target's tokens; the decoder's input is the same text one place to the right ({@code SequenceToSequenceIterator}).
     *
     * @param graph the graph to add to
     * @param logits name of the decoder's scores [B,T,V]
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss sequenceToSequence(SameDiff graph, String logits) {
        return classes(graph, logits, "sequence_to_sequence_loss", 2, 0);
    }

    /**
     * Adds the contrastive loss of pairs of texts that belong together, every other second text of the batch being a wrong one
     * (InfoNCE, sentence-transformers' MultipleNegativesRankingLoss): {@code -log softmax_j(scale cos(a_i, c_j))[i]}, averaged over
     * the pairs.
     *
     * @param graph the graph to add to; gets the placeholder {@code label_mask [B]} FLOAT of the pairs' weights
     * @param embeddings name of the embeddings [2B,D]: B first texts, then B second ones
     * @param scale factor of the cosines, the reciprocal of a temperature; 20 in sentence-transformers
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss contrastive(SameDiff graph, String embeddings, double scale) {
        return Similarity.contrastive(graph, embeddings, scale, 2);
    }

    /**
     * Adds the contrastive loss with hard negatives: as {@link #contrastive(SameDiff, String, double)}, with more wrong texts.
     *
     * @param graph the graph to add to
     * @param embeddings name of the embeddings [parts * B,D]: B anchors, B positives, then B negatives for every further part
     * @param scale factor of the cosines
     * @param parts texts of an item, 2 or more
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss contrastive(SameDiff graph, String embeddings, double scale, int parts) {
        return Similarity.contrastive(graph, embeddings, scale, parts);
    }

    /**
     * Adds the mean squared error of cosines of pairs of texts (sentence-transformers' CosineSimilarityLoss).
     *
     * @param graph the graph to add to; gets the placeholders {@code labels [B]} FLOAT, the wanted cosines, and {@code label_mask
     *     [B]} FLOAT
     * @param embeddings name of the embeddings [2B,D]: B first texts, then B second ones
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss cosineSimilarity(SameDiff graph, String embeddings) {
        return Similarity.cosine(graph, embeddings);
    }

    /**
     * Adds the triplet loss {@code max(0, |a - p| - |a - n| + margin)} with Euclidean distances (torch's
     * {@code triplet_margin_loss}, sentence-transformers' TripletLoss), averaged over the triplets.
     *
     * @param graph the graph to add to; gets the placeholder {@code label_mask [B]} FLOAT
     * @param embeddings name of the embeddings [3B,D]: B anchors, B positives, B negatives
     * @param margin by how much the negative must be farther; 5 in sentence-transformers
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss triplet(SameDiff graph, String embeddings, double margin) {
        return Similarity.triplet(graph, embeddings, margin);
    }

    /**
     * Adds direct preference optimisation (Rafailov et al. 2023) over pairs of answers:
     *
     * <pre>
     * m_i = beta ((log p(chosen_i) - log q(chosen_i)) - (log p(rejected_i) - log q(rejected_i)))
     * cost_i = -(1 - e) log sigmoid(m_i) - e log sigmoid(-m_i)
     * </pre>
     *
     * <p>p is the model, q the reference, whose log-probabilities are an input: {@code train.ReferenceLogProbabilities} computes
     * them by the same model with its adapters switched off.
     *
     * @param graph the graph to add to; gets the placeholders {@code labels [2B,T]} INT32 (already shifted, below 0 where no answer
     *     is), {@code reference_log_probabilities [2B]} FLOAT and {@code label_mask [B]} FLOAT, the pairs' weights
     * @param logits name of the scores [2B,T,V]: B chosen answers, then B rejected ones
     * @param beta how far the model may go from the reference; 0.1 in TRL
     * @param smoothing e, the share of pairs that are labelled the wrong way round; 0 for none
     * @throws InvalidInputException if there is no such variable, or a number is out of range
     */
    public static TaskLoss dpo(SameDiff graph, String logits, double beta, double smoothing) {
        return Preference.dpo(graph, logits, beta, smoothing);
    }

    /**
     * Adds odds ratio preference optimisation (Hong et al. 2024, equations 6 and 7) over pairs of answers, which needs no reference:
     *
     * <pre>
     * l = mean over an answer's labels of log p;  odds = l - log(1 - exp(l))
     * cost_i = -l_chosen - beta log sigmoid(odds_chosen - odds_rejected)
     * </pre>
     *
     * @param graph the graph to add to; gets the placeholders {@code labels [2B,T]} INT32 as {@link #dpo} and {@code label_mask
     *     [B]} FLOAT
     * @param logits name of the scores [2B,T,V]: B chosen answers, then B rejected ones
     * @param beta weight of the preference; 0.1 in TRL
     * @throws InvalidInputException if there is no such variable, or beta is out of range
     */
    public static TaskLoss orpo(SameDiff graph, String logits, double beta) {
        return Preference.orpo(graph, logits, beta);
    }

    /**
     * Returns the variable that holds the log-probabilities [2B] of the answers, of a loss that {@link #dpo} made.
     *
     * @throws InvalidInputException if it is another loss
     */
    public static String logProbabilities(SameDiff graph, TaskLoss dpo) {
        String name = dpo.loss() + Preference.LOG_PROBABILITIES;
        if (!graph.hasVariable(name)) {
            throw new InvalidInputException("the loss `" + dpo.loss() + "` has no reference; only Losses.dpo has one");
        }
        return name;
    }

    /**
     * Returns the variable [2B] by which a loss of {@link #dpo} or {@link #orpo} tells a chosen answer from a rejected one: the
     * log-probabilities of the answers, or the means over their tokens.
     *
     * @throws InvalidInputException if it is another loss
     */
    public static String preferenceScores(SameDiff graph, TaskLoss loss) {
        return Stream.of(Preference.LOG_PROBABILITIES, Preference.MEAN_LOG_PROBABILITIES)
                .map(suffix -> loss.loss() + suffix)
                .filter(graph::hasVariable)
                .findFirst()
                .orElseThrow(() -> new InvalidInputException(
                        "the loss `" + loss.loss() + "` is of no pairs of answers; Losses.dpo and Losses.orpo are"));
    }

    private static SDVariable flat(WeightedItems items) {
        SDVariable row = items.scores().reshape(-1);
        return row.dataType() == items.type() ? row : row.castTo(items.type());
    }
}
