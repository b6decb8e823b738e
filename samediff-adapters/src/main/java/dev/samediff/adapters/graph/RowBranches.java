package dev.samediff.adapters.graph;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Puts an adapter's own rows R [n,D] in the place of rows of an embedding's table, wherever the table is read:
 *
 * <pre>
 * lookup:  y' = y (1 - c hit) + c onehot(ids) R      hit [N,1] = 1 where an id is one of the n
 * head:    z' = z (1 - c at) + c (h R^T) P           at [V] = 1 at the n columns, P [n,V] puts them there
 * </pre>
 *
 * <p>c is a scalar of the graph, 1 while the rows act and 0 otherwise; then y' is y. The table itself stays a constant that is
 * gathered: all that is trained goes through products, which SameDiff differentiates right.
 *
 * @param table the embedding
 * @param indices which rows R are; empty means all, in their order; below zero they are ids of virtual tokens, which mean R and no row of the table
 * @param rows the variable of R
 * @param scale the variable of c
 */
public record RowBranches(EmbeddingSite table, List<Integer> indices, String rows, String scale) {
    /**
     * Returns the new value of a lookup.
     *
     * @param use the lookup
     * @param output its value without the branch
     * @param prefix start of the names of all variables made here
     */
    public SDVariable ofLookup(AdaptableSite.Use use, SDVariable output, String prefix) {
        SameDiff graph = output.getSameDiff();
        SDVariable ids = graph.getVariable(use.input());
        SDVariable own = graph.getVariable(rows);
        SDVariable on = graph.getVariable(scale);
        SDVariable found = graph.reshape(prefix + "looked_up", output, -1, table.out());
        SDVariable mixed;
        if (indices.isEmpty()) {
            SDVariable all = new EmbeddingInput(ids, table.in()).times(prefix + "own_rows", own);
            mixed = found.mul(prefix + "kept", on.mul(prefix + "minus", -1).add(prefix + "off", 1))
                    .add(prefix + "rows", all.mul(prefix + "own", on));
        } else {
            SDVariable chosen = chosen(graph, ids, own.dataType(), prefix);
            SDVariable ones = graph.constant(prefix + "ones", Nd4j.ones(own.dataType(), indices.size()));
            SDVariable each =
                    graph.reshape(prefix + "each", ones, indices.size(), 1); // a stored matrix would be a layer
            SDVariable hit = graph.mmul(prefix + "hit", chosen, each);
            SDVariable kept = unreplaced(hit, on, prefix);
            mixed = found.mul(prefix + "kept", kept)
                    .add(
                            prefix + "rows",
                            graph.mmul(prefix + "own_rows", chosen, own).mul(prefix + "own", on));
        }
        return graph.reshape(prefix + "embedded", mixed, graph.shape(prefix + "shape", output));
    }

    /** Tells whether the rows are those of virtual tokens. */
    public boolean isPrompt() {
        return !indices.isEmpty() && indices.get(0) < 0;
    }

    /** 1 where an id [N] is one of the indices [n]; ids below zero count from the end. */
    private SDVariable chosen(SameDiff graph, SDVariable ids, DataType type, String prefix) {
        SDVariable given = graph.reshape(prefix + "ids", ids, -1, 1).castTo(prefix + "given", DataType.DOUBLE);
        SDVariable id = isPrompt()
                ? given
                : graph.math.floorMod(
                        prefix + "number", given, graph.constant(prefix + "count", Nd4j.scalar((double) table.in())));
        double[] numbers = indices.stream().mapToDouble(Integer::doubleValue).toArray();
        SDVariable wanted =
                graph.constant(prefix + "tokens", Nd4j.createFromArray(numbers).reshape(1, numbers.length));
        return graph.eq(prefix + "is", id, wanted).castTo(prefix + "chosen", type);
    }

    private static SDVariable unreplaced(SDVariable at, SDVariable on, String prefix) {
        return at.mul(prefix + "replaced", on).mul(prefix + "minus", -1).add(prefix + "unreplaced", 1);
    }

    /**
     * Returns the new value of a product with the table.
     *
     * @param use the product
     * @param output its value without the branch, [N,V]
     * @param prefix start of the names of all variables made here
     */
    public SDVariable ofProduct(AdaptableSite.Use use, SDVariable output, String prefix) {
        SameDiff graph = output.getSameDiff();
        SDVariable own = graph.getVariable(rows);
        SDVariable on = graph.getVariable(scale);
        INDArray at = Nd4j.zeros(own.dataType(), table.in());
        indices.forEach(index -> at.putScalar(index, 1));
        SDVariable kept = unreplaced(graph.constant(prefix + "at", at), on, prefix);
        SDVariable scores = graph.mmul(
                prefix + "scores", graph.getVariable(use.input()), graph.permute(prefix + "turned", own, 1, 0));
        int[] numbers = indices.stream().mapToInt(Integer::intValue).toArray();
        SDVariable places = graph.oneHot(
                prefix + "places",
                graph.constant(prefix + "columns", Nd4j.createFromArray(numbers)),
                table.in(),
                -1,
                1,
                0,
                own.dataType());
        return output.mul(prefix + "kept", kept)
                .add(
                        prefix + "tied",
                        graph.mmul(prefix + "placed", scores, places).mul(prefix + "own", on));
    }
}
