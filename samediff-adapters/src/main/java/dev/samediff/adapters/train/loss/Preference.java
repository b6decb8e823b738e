package dev.samediff.adapters.train.loss;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.nd4j.LossInputs;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Losses over pairs of a chosen and a rejected answer, which lie in one batch: B rows of prompts with chosen answers, then B rows of
 * the same prompts with rejected ones. Labels are already shifted; those of prompts and padding are below zero.
 */
final class Preference {
    /** What follows the loss' name in that of the log-probabilities of the answers, [2B]. */
    static final String LOG_PROBABILITIES = "/log_probabilities";
    /** What follows it in that of the mean log-probabilities of their tokens, [2B]. */
    static final String MEAN_LOG_PROBABILITIES = "/mean_log_probabilities";
    /** The largest mean log-probability: of an answer that is certain the odds are infinite. */
    private static final double CERTAIN = -1e-6;

    private static final String REFERENCE = "/reference";
    private static final GroupedItems.Target LABELS =
            new GroupedItems.Target(LossInputs.LABELS, "labels", DataType.INT32, 2);

    private Preference() {}

    static TaskLoss dpo(SameDiff graph, String logits, double beta, double smoothing) {
        requirePositive(beta);
        if (!(smoothing >= 0 && smoothing < 0.5)) {
            throw new InvalidInputException(
                    "the label smoothing is " + smoothing
                            + ", the share of pairs whose preference is the other way round; expected a number from 0 to below 0.5");
        }
        GroupedItems items = GroupedItems.of(
                graph, logits, "dpo_loss_" + beta + (smoothing == 0 ? "" : "_smoothed_" + smoothing), 2);
        GroupedItems.Target reference =
                new GroupedItems.Target(REFERENCE, "reference_log_probabilities", DataType.FLOAT, 1);
        return items.mean(List.of(LABELS, reference), targets -> {
            SDVariable sums = answers(items, targets.get(0)).sums();
            SDVariable logProbabilities = sums.mul(items.prefix() + LOG_PROBABILITIES, 1);
            SDVariable gained = logProbabilities.sub(targets.get(1).castTo(items.type()));
            SDVariable margin = items.combined(gained, 1, -1).mul(beta);
            SDVariable right = GroupedItems.softplus(graph, margin.neg());
            return smoothing == 0
                    ? right
                    : right.mul(1 - smoothing)
                            .add(GroupedItems.softplus(graph, margin).mul(smoothing));
        });
    }

    static TaskLoss orpo(SameDiff graph, String logits, double beta) {
        requirePositive(beta);
        GroupedItems items = GroupedItems.of(graph, logits, "orpo_loss_" + beta, 2);
        return items.mean(List.of(LABELS), targets -> {
            Answers answers = answers(items, targets.get(0));
            SDVariable mean = answers.sums().div(items.prefix() + MEAN_LOG_PROBABILITIES, answers.counts());
            SDVariable likely = graph.math.clipByValue(mean, -1e9, CERTAIN);
            SDVariable odds =
                    likely.sub(graph.math.log(graph.math.exp(likely).mul(-1).add(1)));
            SDVariable ratio = items.combined(odds, 1, -1);
            return items.combined(mean, -1, 0)
                    .add(GroupedItems.softplus(graph, ratio.neg()).mul(beta));
        });
    }

    private static void requirePositive(double beta) {
        if (!(beta > 0 && Double.isFinite(beta))) {
            throw new InvalidInputException("beta is " + beta + "; expected a number above 0, usually 0.1");
        }
    }

    /**
     * Answers of a batch.
     *
     * @param sums log-probability of each, [2B]
     * @param counts how many labels it has, at least 1, [2B]
     */
    private record Answers(SDVariable sums, SDVariable counts) {}

    /** Adds up answers; the labels are given as one row. */
    private static Answers answers(GroupedItems items, SDVariable labels) {
        SameDiff graph = items.graph();
        DataType type = items.type();
        SDVariable classes = graph.sizeAt(items.scores(), 2).castTo(DataType.INT64);
        SDVariable rows =
                graph.reshape(items.typed(), graph.stack(0, graph.constant(Nd4j.scalar(DataType.INT64, -1)), classes));
        SDVariable shifted = rows.sub(CrossEntropy.nearest(graph, rows.max(true, 1)));
        SDVariable logSum = graph.math.log(graph.math.exp(shifted).sum(1));
        SDVariable numbers = graph.range(
                graph.constant(Nd4j.scalar(DataType.INT64, 0)),
                classes,
                graph.constant(Nd4j.scalar(DataType.INT64, 1)),
                DataType.INT32);
        SDVariable chosen = graph.eq(graph.reshape(labels, -1, 1), graph.reshape(numbers, 1, -1))
                .castTo(type);
        SDVariable tokens = shifted.mul(chosen).sum(1).sub(logSum);
        SDVariable given = graph.getVariable(WeightedItems.inputOf(graph, labels.name()));
        SDVariable shaped = graph.reshape(labels.castTo(type), graph.shape(given));
        SDVariable counted = graph.gt(graph.expandDims(shaped, 2), graph.constant(Nd4j.scalar(type, -0.5)))
                .castTo(type);
        SDVariable sums = graph.reshape(
                graph.reshape(tokens, graph.shape(counted)).mul(counted).sum(1), -1);
        SDVariable counts = graph.reshape(counted.sum(1), -1);
        SDVariable none =
                graph.lt(counts, graph.constant(Nd4j.scalar(type, 0.5))).castTo(type);
        return new Answers(sums, counts.add(none));
    }
}
