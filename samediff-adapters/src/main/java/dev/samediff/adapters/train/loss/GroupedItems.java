package dev.samediff.adapters.train.loss;

import dev.samediff.adapters.engine.nd4j.LossInputs;
import dev.samediff.adapters.graph.GraphVersion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What losses over pairs and triplets share. Their parts lie in one batch, one behind the other: of B pairs the rows 0 to B - 1 are
 * the first parts, the rows B to 2B - 1 the second ones. So one pass through the model serves all.
 *
 * @param graph the graph
 * @param scores what the loss is of, of which the first axis counts rows
 * @param prefix the loss' name, and the start of those of its parts
 * @param group how many parts an item has
 */
record GroupedItems(SameDiff graph, SDVariable scores, String prefix, int group) {
    /** A label array. */
    record Target(String suffix, String name, DataType type, int axes) {}

    /**
     * Begins a loss.
     *
     * @param scores name of what the loss is of
     * @param kind what follows in the loss' name
     */
    static GroupedItems of(SameDiff graph, String scores, String kind, int group) {
        WeightedItems items = WeightedItems.of(graph, scores, kind, WeightedItems.Labels.NUMBERS, 1);
        return new GroupedItems(graph, items.scores(), items.prefix(), group);
    }

    /** The type to compute in. */
    DataType type() {
        return scores.dataType() == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
    }

    /** The scores in the type to compute in. */
    SDVariable typed() {
        return scores.dataType() == type() ? scores : scores.castTo(type());
    }

    /**
     * Adds the loss {@code sum_i w_i cost_i / sum_i w_i}, or returns the one that is there.
     *
     * @param targets its label arrays
     * @param cost makes what items cost, [B], from the label arrays, each as one row
     */
    TaskLoss mean(List<Target> targets, Function<List<SDVariable>, SDVariable> cost) {
        if (graph.hasVariable(prefix)) {
            return new TaskLoss(
                    prefix,
                    targets.stream()
                            .map(target -> WeightedItems.inputOf(graph, prefix + target.suffix()))
                            .toList(),
                    WeightedItems.inputOf(graph, prefix + LossInputs.groups(group)),
                    group);
        }
        List<SDVariable> given = new ArrayList<>();
        for (Target target : targets) {
            long[] shape = new long[target.axes()];
            Arrays.fill(shape, -1);
            given.add(graph.placeHolder(WeightedItems.free(graph, target.name()), target.type(), shape));
        }
        List<SDVariable> rows =
                new ArrayList<>(); // these are what the loss is computed from, so that they are found in any part
        for (int i = 0; i < targets.size(); i++) {
            rows.add(given.get(i).reshape(-1).rename(prefix + targets.get(i).suffix()));
        }
        SDVariable mask = graph.placeHolder(WeightedItems.free(graph, "label_mask"), DataType.FLOAT, -1);
        SDVariable weights = mask.reshape(-1).rename(prefix + LossInputs.groups(group));
        SDVariable share = weights.castTo(type())
                .div(WeightedItems.total(graph, weights, prefix).castTo(type()));
        cost.apply(rows).mul(share).sum().rename(prefix);
        GraphVersion.of(graph).structureChanged();
        return new TaskLoss(prefix, given.stream().map(SDVariable::name).toList(), mask.name(), group);
    }

    /**
     * Adds the parts up with factors.
     *
     * @param rows [group * B, n], or a vector of all rows
     * @param factors one for each part
     * @return [B, n] in one row
     */
    SDVariable combined(SDVariable rows, double... factors) {
        INDArray column =
                Nd4j.createFromArray(factors).reshape(factors.length, 1).castTo(type());
        return rows.reshape(group, -1).mul(graph.constant(column)).sum(0);
    }

    /** Adds the parts of rows [group * B, D] up with factors: [B, D]. */
    SDVariable combinedRows(SDVariable rows, double... factors) {
        SDVariable width = graph.sizeAt(rows, 1).castTo(DataType.INT64);
        SDVariable shape = graph.stack(0, graph.constant(Nd4j.scalar(DataType.INT64, -1)), width);
        return graph.reshape(combined(rows, factors), shape);
    }

    /** Sums of rows [n, D]: [n], also of one row and one column, which SameDiff's sum does not take. */
    SDVariable sums(SDVariable rows) {
        return graph.reshape(graph.expandDims(rows, 2).sum(1), -1);
    }

    /** Rows divided by their Euclidean norms, [group * B, D]. */
    SDVariable normalised() {
        SDVariable rows = typed();
        SDVariable squares = graph.reshape(sums(rows.mul(rows)), -1, 1);
        return rows.div(graph.math.sqrt(squares.add(1e-24)));
    }

    /** {@code log(1 + exp(z))} of a vector, for z of any size. */
    static SDVariable softplus(SameDiff graph, SDVariable z) {
        SDVariable m = CrossEntropy.nearest(graph, graph.nn.relu(z, 0));
        return graph.math
                .log(graph.math.exp(z.sub(m)).add(graph.math.exp(m.neg())))
                .add(m);
    }
}
