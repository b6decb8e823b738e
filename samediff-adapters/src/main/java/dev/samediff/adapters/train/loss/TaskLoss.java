package dev.samediff.adapters.train.loss;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;

/**
 * A task loss in a graph: the weighted mean over the labelled items, and what it must be fed with.
 *
 * @param loss the scalar
 * @param targets placeholders of the label arrays of a batch, in their order; none where the batch itself says what belongs
 *     together
 * @param mask placeholder of the items' weights: 1 where an item counts and 0 elsewhere, or any numbers of 0 or more; their
 *     sum is the weight of a batch
 * @param group how many rows of the features make an item: 1, or 2 of a pair and 3 of a triplet, whose first rows come first, then
 *     all second ones
 */
public record TaskLoss(String loss, List<String> targets, String mask, int group) {
    public TaskLoss {
        targets = List.copyOf(targets);
    }

    /** Describes a loss with one array of labels, one for each weight. */
    public TaskLoss(String loss, String labels, String mask) {
        this(loss, List.of(labels), mask, 1);
    }

    /**
     * Returns the placeholder of the labels, the first one if there are several.
     *
     * @throws InvalidInputException if the loss has no labels
     */
    public String labels() {
        if (targets.isEmpty()) {
            throw new InvalidInputException(
                    "the loss `" + loss + "` has no labels: items belong together by their places in the batch");
        }
        return targets.get(0);
    }
}
