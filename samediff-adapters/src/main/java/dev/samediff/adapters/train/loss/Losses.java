package dev.samediff.adapters.train.loss;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.nd4j.LossInputs;
import dev.samediff.adapters.graph.GraphOutputs;
import dev.samediff.adapters.graph.GraphVersion;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Losses built of ops whose gradients are right. SameDiff's own {@code softmaxCrossEntropy} and
 * {@code sparseSoftmaxCrossEntropy} ignore the upstream gradient, so that a mask or a mean is lost.
 *
 * <p>All are weighted means over items i, tokens or examples, of weight w_i (the label mask) and loss l_i:
 *
 * <pre>
 * loss = sum_i w_i l_i / sum_i w_i,   0 if every w_i is 0
 * </pre>
 *
 * <p>Weights are finite and 0 or more, usually 0 or 1; their sum is taken in float64 and may be below 1.
 */
public final class Losses {
    /** Scores beyond this are clamped before the integer cast below. */
    private static final double LARGEST_SCORE = 1e9;

    private Losses() {}

    /**
     * Adds the cross entropy of next tokens, averaged over the labelled tokens:
     * {@code sum(mask * -log softmax(logits)[label]) / sum(mask)}. Labels are already shifted; a label whose mask is 0 may
     * be anything. A second call returns the first one's loss.
     *
     * @param graph the graph to add to; gets the placeholders {@code labels [B,T]} INT32 and {@code label_mask [B,T]}
     *     FLOAT, or the same names with a number where they are taken
     * @param logits name of the scores [B,T,V]
     * @throws InvalidInputException if there is no such variable
     */
    public static TaskLoss causalLm(SameDiff graph, String logits) {
        return add(graph, logits, "causal_lm_loss", new long[] {-1, -1});
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
        return add(graph, logits, "classification_loss", new long[] {-1});
    }

    private static TaskLoss add(SameDiff graph, String logits, String kind, long[] labelShape) {
        if (!graph.hasVariable(logits)) {
            throw new InvalidInputException(
                    "there are no logits `" + logits + "` in this graph; its outputs are " + GraphOutputs.text(graph));
        }
        String prefix = logits + "/" + kind;
        if (graph.hasVariable(prefix)) {
            return new TaskLoss(
                    prefix, inputOf(graph, prefix + LossInputs.LABELS), inputOf(graph, prefix + LossInputs.MASK));
        }
        SDVariable scores = graph.getVariable(logits);
        if (!scores.dataType().isFPType() || scores.getVariableType() != VariableType.ARRAY) {
            throw new InvalidInputException("the logits `" + logits + "` are a " + scores.getVariableType()
                    + " of type " + scores.dataType() + "; a loss needs computed floating point scores");
        }
        SDVariable labels = graph.placeHolder(free(graph, "labels"), DataType.INT32, labelShape);
        SDVariable mask = graph.placeHolder(free(graph, "label_mask"), DataType.FLOAT, labelShape);

        SDVariable weights = mask.reshape(-1).rename(prefix + LossInputs.MASK);
        DataType type = scores.dataType() == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
        SDVariable share =
                weights.castTo(type).div(total(graph, prefix, weights).castTo(type));
        SDVariable classes = graph.sizeAt(scores, labelShape.length).castTo(DataType.INT64);
        SDVariable rows = graph.reshape(
                scores, graph.stack(0, graph.constant(prefix + "/rest", Nd4j.scalar(DataType.INT64, -1)), classes));
        if (scores.dataType() != type) { // sums over classes and over rows need more digits than half precision has
            rows = rows.castTo(type);
        }
        SDVariable indices = labels.reshape(-1).rename(prefix + LossInputs.LABELS);
        SDVariable loss =
                perRow(graph, prefix, rows, indices, classes).mul(share).sum();
        loss.rename(prefix);
        GraphVersion.of(graph).structureChanged();
        return new TaskLoss(prefix, labels.name(), mask.name());
    }

    /** The sum of the weights in float64; 1 if it is 0, so that no share is 0 / 0. */
    private static SDVariable total(SameDiff graph, String prefix, SDVariable weights) {
        SDVariable sum = weights.castTo(DataType.DOUBLE).sum();
        SDVariable nothing = graph.constant(prefix + "/nothing", Nd4j.scalar(DataType.DOUBLE, 0.0));
        return sum.add(graph.eq(sum, nothing).castTo(DataType.DOUBLE));
    }

    /**
     * {@code log sum_j exp(z_j - m) + m - z_label} for every row. m only has to be near the row's maximum; it is an
     * integer so that no gradient flows through it, which saves a pass over [rows, classes]: its exact gradient is zero.
     */
    private static SDVariable perRow(
            SameDiff graph, String prefix, SDVariable rows, SDVariable indices, SDVariable classes) {
        DataType type = rows.dataType();
        SDVariable largest = graph.math.clipByValue(rows.max(true, 1), -LARGEST_SCORE, LARGEST_SCORE);
        SDVariable m = largest.castTo(DataType.INT32).castTo(type);
        SDVariable shifted = rows.sub(m);
        SDVariable logSum = graph.math.log(graph.math.exp(shifted).sum(1));
        SDVariable identity = graph.range(
                graph.constant(prefix + "/zero", Nd4j.scalar(DataType.INT64, 0)),
                classes,
                graph.constant(prefix + "/step", Nd4j.scalar(DataType.INT64, 1)),
                DataType.INT32);
        SDVariable chosen = graph.eq(graph.expandDims(indices, 1), graph.expandDims(identity, 0))
                .castTo(type);
        return logSum.sub(shifted.mul(chosen).sum(1));
    }

    private static String inputOf(SameDiff graph, String variable) {
        return graph.getVariableOutputOp(variable).arg(0).name();
    }

    private static String free(SameDiff graph, String name) {
        String candidate = name;
        for (int i = 1; graph.hasVariable(candidate); i++) {
            candidate = name + "_" + i;
        }
        return candidate;
    }
}
