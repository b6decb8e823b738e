package dev.samediff.adapters.train.loss;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The cross entropy of rows of scores.
 *
 * @param items where it is added
 * @param smoothing share of the label that is spread over all classes
 */
record CrossEntropy(WeightedItems items, double smoothing) implements WeightedItems.Cost {
    /** Scores beyond this are clamped before the integer cast below. */
    private static final double LARGEST_SCORE = 1e9;

    /**
     * {@code log sum_j exp(z_j - m) + m - (1 - e) z_label - e mean_j z_j} for every row; see {@link #nearest} for m.
     */
    @Override
    public SDVariable of(SDVariable labels) {
        SameDiff graph = items.graph();
        String prefix = items.prefix();
        SDVariable scores = items.scores();
        SDVariable classes = graph.sizeAt(scores, items.axes()).castTo(DataType.INT64);
        SDVariable rows = graph.reshape(
                scores, graph.stack(0, graph.constant(prefix + "/rest", Nd4j.scalar(DataType.INT64, -1)), classes));
        if (scores.dataType() != items.type()) {
            rows = rows.castTo(items.type());
        }
        SDVariable shifted = rows.sub(nearest(graph, rows.max(true, 1)));
        SDVariable logSum = graph.math.log(graph.math.exp(shifted).sum(1));
        SDVariable identity = graph.range(
                graph.constant(prefix + "/zero", Nd4j.scalar(DataType.INT64, 0)),
                classes,
                graph.constant(prefix + "/step", Nd4j.scalar(DataType.INT64, 1)),
                DataType.INT32);
        SDVariable chosen = graph.eq(graph.expandDims(labels, 1), graph.expandDims(identity, 0))
                .castTo(items.type());
        SDVariable label = shifted.mul(chosen).sum(1);
        return smoothing == 0
                ? logSum.sub(label)
                : logSum.sub(label.mul(1 - smoothing)).sub(shifted.mean(1).mul(smoothing));
    }

    /**
     * The whole number at some numbers, in their type. Where it is taken from exponents and added again it only has to be near
     * the largest; it is a whole number so that no gradient flows through it, which saves a pass: its exact gradient is zero.
     */
    static SDVariable nearest(SameDiff graph, SDVariable numbers) {
        return graph.math
                .clipByValue(numbers, -LARGEST_SCORE, LARGEST_SCORE)
                .castTo(DataType.INT32)
                .castTo(numbers.dataType());
    }
}
