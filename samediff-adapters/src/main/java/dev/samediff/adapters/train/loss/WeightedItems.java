package dev.samediff.adapters.train.loss;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.nd4j.LossInputs;
import dev.samediff.adapters.graph.GraphOutputs;
import dev.samediff.adapters.graph.GraphVersion;
import java.util.Arrays;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What all losses share: labels, weights and the weighted mean of what items cost.
 *
 * @param graph the graph
 * @param scores what the loss is of
 * @param prefix the loss' name, and the start of those of its parts
 * @param labels what the labels are
 * @param axes how many axes labels and weights have
 */
record WeightedItems(SameDiff graph, SDVariable scores, String prefix, Labels labels, int axes) {
    /** What labels are. */
    enum Labels {
        /** Numbers of classes, INT32; the scores have one axis more. */
        CLASSES(LossInputs.LABELS, DataType.INT32),
        /** Numbers beside the scores, FLOAT, of their shape. */
        NUMBERS(LossInputs.NUMBERS, DataType.FLOAT);

        private final String suffix;
        private final DataType type;

        Labels(String suffix, DataType type) {
            this.suffix = suffix;
            this.type = type;
        }
    }

    /** What items cost, by the labels as one row: [rows] from INT32 [rows], or from numbers [rows]. */
    interface Cost {
        SDVariable of(SDVariable labels);
    }

    /**
     * Begins a loss.
     *
     * @param scores name of what the loss is of
     * @param kind what follows in the loss' name
     * @throws InvalidInputException if there is no such variable, or it is not computed
     */
    static WeightedItems of(SameDiff graph, String scores, String kind, Labels labels, int axes) {
        if (!graph.hasVariable(scores)) {
            throw new InvalidInputException(
                    "there are no logits `" + scores + "` in this graph; its outputs are " + GraphOutputs.text(graph));
        }
        SDVariable variable = graph.getVariable(scores);
        if (!variable.dataType().isFPType() || variable.getVariableType() != VariableType.ARRAY) {
            throw new InvalidInputException("the logits `" + scores + "` are a " + variable.getVariableType()
                    + " of type " + variable.dataType() + "; a loss needs computed floating point scores");
        }
        return new WeightedItems(graph, variable, scores + "/" + kind, labels, axes);
    }

    /** The type to compute in: sums over classes and over rows need more digits than half precision has. */
    DataType type() {
        return scores.dataType() == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
    }

    /** Adds the loss {@code sum_i w_i cost_i / sum_i w_i}, or returns the one that is there. */
    TaskLoss mean(Cost cost) {
        if (graph.hasVariable(prefix)) {
            return new TaskLoss(
                    prefix, inputOf(graph, prefix + labels.suffix), inputOf(graph, prefix + LossInputs.MASK));
        }
        long[] shape = new long[axes];
        Arrays.fill(shape, -1);
        SDVariable given = graph.placeHolder(free(graph, "labels"), labels.type, shape);
        SDVariable mask = graph.placeHolder(free(graph, "label_mask"), DataType.FLOAT, shape);
        SDVariable weights = mask.reshape(-1).rename(prefix + LossInputs.MASK);
        SDVariable share =
                weights.castTo(type()).div(total(graph, weights, prefix).castTo(type()));
        SDVariable row = given.reshape(-1).rename(prefix + labels.suffix);
        cost.of(row).mul(share).sum().rename(prefix);
        GraphVersion.of(graph).structureChanged();
        return new TaskLoss(prefix, given.name(), mask.name());
    }

    /** The sum of the weights in float64; 1 if it is 0, so that no share is 0 / 0. */
    static SDVariable total(SameDiff graph, SDVariable weights, String prefix) {
        SDVariable sum = weights.castTo(DataType.DOUBLE).sum();
        SDVariable nothing = graph.constant(prefix + "/nothing", Nd4j.scalar(DataType.DOUBLE, 0.0));
        return sum.add(graph.eq(sum, nothing).castTo(DataType.DOUBLE));
    }

    /** The placeholder that a variable shows in another shape. */
    static String inputOf(SameDiff graph, String variable) {
        return graph.getVariableOutputOp(variable).arg(0).name();
    }

    /** A name that is not taken: this one, or with a number. */
    static String free(SameDiff graph, String name) {
        String candidate = name;
        for (int i = 1; graph.hasVariable(candidate); i++) {
            candidate = name + "_" + i;
        }
        return candidate;
    }
}
