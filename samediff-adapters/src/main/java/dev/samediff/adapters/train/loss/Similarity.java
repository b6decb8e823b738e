package dev.samediff.adapters.train.loss;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.nd4j.LossInputs;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Losses of embeddings of texts that are near or far, as sentence-transformers has them. The parts of an item lie in one batch: of B
 * pairs, B rows of first texts and then B rows of second ones.
 */
final class Similarity {
    /** What torch's {@code pairwise_distance} adds to differences. */
    private static final double DISTANCE_EPSILON = 1e-6;

    private Similarity() {}

    static TaskLoss contrastive(SameDiff graph, String embeddings, double scale, int parts) {
        requirePositive("scale", scale);
        if (parts < 2) {
            throw new InvalidInputException("a contrastive loss of " + parts
                    + " texts for each item; expected 2 (anchor, positive), or more with hard negatives");
        }
        GroupedItems items = GroupedItems.of(graph, embeddings, "contrastive_loss_" + scale + "_" + parts, parts);
        return items.mean(List.of(), none -> {
            SDVariable rows = items.normalised();
            SDVariable all = graph.mmul(rows, rows, false, true, false).mul(scale);
            Places places = Places.of(items);
            SDVariable m = CrossEntropy.nearest(graph, all.max(true, 1));
            SDVariable shifted = all.sub(m);
            SDVariable candidates = graph.math.exp(shifted).mul(places.candidate());
            SDVariable logSum = graph.math.log(candidates.sum(1));
            SDVariable positive = shifted.mul(places.partner()).sum(1);
            double[] first = new double[parts];
            first[0] = 1;
            return items.combined(logSum.sub(positive), first);
        });
    }

    /**
     * Which columns of all rows against all rows are what.
     *
     * @param candidate 1 where the column is no anchor, [n,n]
     * @param partner 1 where the column is the positive of the row, [n,n]
     */
    private record Places(SDVariable candidate, SDVariable partner) {
        static Places of(GroupedItems items) {
            SameDiff graph = items.graph();
            SDVariable count = graph.sizeAt(items.scores(), 0).castTo(DataType.INT64);
            SDVariable numbers = graph.range(
                            graph.constant(Nd4j.scalar(DataType.INT64, 0)),
                            count,
                            graph.constant(Nd4j.scalar(DataType.INT64, 1)),
                            DataType.INT32)
                    .castTo(items.type());
            SDVariable pairs = count.castTo(items.type()).mul(1.0 / items.group());
            SDVariable columns = graph.reshape(numbers, 1, -1);
            SDVariable rows = graph.reshape(numbers, -1, 1);
            SDVariable limit = graph.reshape(pairs, 1, 1).sub(0.5); // B is a whole number, its quotient nearly
            SDVariable candidate = graph.gt(columns.sub(limit), graph.constant(Nd4j.zeros(items.type(), 1, 1)))
                    .castTo(items.type());
            SDVariable off = columns.sub(rows).sub(graph.reshape(pairs, 1, 1));
            SDVariable near = graph.math.abs(off).sub(0.5);
            SDVariable partner = graph.lt(near, graph.constant(Nd4j.zeros(items.type(), 1, 1)))
                    .castTo(items.type());
            return new Places(candidate, partner);
        }
    }

    static TaskLoss cosine(SameDiff graph, String embeddings) {
        GroupedItems items = GroupedItems.of(graph, embeddings, "cosine_loss", 2);
        GroupedItems.Target score = new GroupedItems.Target(LossInputs.NUMBERS, "labels", DataType.FLOAT, 1);
        return items.mean(List.of(score), targets -> {
            SDVariable rows = items.normalised();
            SDVariable cosine = items.sums(items.combinedRows(rows, 1, 0).mul(items.combinedRows(rows, 0, 1)));
            SDVariable error = cosine.sub(targets.get(0).castTo(items.type()));
            return error.mul(error);
        });
    }

    static TaskLoss triplet(SameDiff graph, String embeddings, double margin) {
        requirePositive("margin", margin);
        GroupedItems items = GroupedItems.of(graph, embeddings, "triplet_loss_" + margin, 3);
        return items.mean(List.of(), none -> {
            SDVariable near = distance(items, 1, -1, 0);
            SDVariable far = distance(items, 1, 0, -1);
            return graph.nn.relu(near.sub(far).add(margin), 0);
        });
    }

    private static SDVariable distance(GroupedItems items, double... factors) {
        SDVariable difference = items.combinedRows(items.typed(), factors).add(DISTANCE_EPSILON);
        return items.graph().math.sqrt(items.sums(difference.mul(difference)));
    }

    private static void requirePositive(String what, double value) {
        if (!(value > 0 && Double.isFinite(value))) {
            throw new InvalidInputException("the " + what + " is " + value + "; expected a number above 0");
        }
    }
}
