package dev.samediff.adapters.testing;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A network in which weights share memory: {@code h = tanh(tanh(E[ids] Wq + bq) Wk + bk)}, {@code logits = tanh(h Wv^T) Wo E^T},
 * loss = mean squared difference from {@code y}. Wq is a VARIABLE as an importer makes it, the others are constants; the head
 * reads the embedding's table. Arrays of weights are larger than what {@code SharingCopy} takes for small.
 */
public final class SharedGraph {
    public static final String TABLE = "wte.weight";
    public static final String HEAD = "head.weight";

    private static final int VOCABULARY = 50;
    private static final int DIM = 40;
    private static final int NARROW = 30;

    private SharedGraph() {}

    /**
     * Returns arrays for {@link #create}.
     *
     * @param type FLOAT or DOUBLE
     * @param tied whether Wq and Wk are one array, and bq and bk
     */
    public static Map<String, INDArray> arrays(DataType type, boolean tied) {
        Random random = new Random(23);
        Map<String, INDArray> arrays = new LinkedHashMap<>();
        arrays.put(TABLE, numbers(random, type, VOCABULARY, DIM));
        arrays.put("q.weight", numbers(random, type, DIM, DIM));
        arrays.put("q.bias", numbers(random, type, DIM));
        arrays.put("k.weight", numbers(random, type, DIM, DIM));
        arrays.put("k.bias", numbers(random, type, DIM));
        arrays.put("v.weight", numbers(random, type, NARROW, DIM));
        arrays.put("o.weight", numbers(random, type, NARROW, DIM));
        if (tied) {
            arrays.put("k.weight", arrays.get("q.weight"));
            arrays.put("k.bias", arrays.get("q.bias"));
        }
        return arrays;
    }

    private static INDArray numbers(Random random, DataType type, long... shape) {
        return ToyGraph.random(random, type, shape).mul(0.4); // no view, which SameDiff would copy
    }

    /**
     * Returns the graph with placeholders ids and y and loss variable {@code loss}.
     *
     * @param arrays as {@link #arrays} gives them; the graph holds these very arrays. With a {@link #HEAD} the head has a table of
     *     its own
     */
    public static SameDiff create(Map<String, INDArray> arrays) {
        SameDiff graph = SameDiff.create();
        DataType type = arrays.get(TABLE).dataType();
        SDVariable ids = graph.placeHolder("ids", DataType.INT, -1);
        SDVariable y = graph.placeHolder("y", type, -1, VOCABULARY);
        Map<String, SDVariable> weights = new LinkedHashMap<>();
        arrays.forEach((name, array) ->
                weights.put(name, name.equals("q.weight") ? graph.var(name, array) : graph.constant(name, array)));
        SDVariable x = graph.gather("x", weights.get(TABLE), ids, 0);
        SDVariable q =
                graph.math.tanh("tq", x.mmul("q", weights.get("q.weight")).add("qb", weights.get("q.bias")));
        SDVariable k =
                graph.math.tanh("tk", q.mmul("k", weights.get("k.weight")).add("kb", weights.get("k.bias")));
        SDVariable v = graph.math.tanh("tv", graph.mmul("v", k, weights.get("v.weight"), false, true, false));
        SDVariable o = v.mmul("o", weights.get("o.weight"));
        SDVariable table = weights.getOrDefault(HEAD, weights.get(TABLE));
        SDVariable error = graph.mmul("logits", o, table, false, true, false).sub("error", y);
        error.mul("squares", error).mean("loss");
        graph.setLossVariables("loss");
        return graph;
    }

    /** Returns values for all placeholders. */
    public static Map<String, INDArray> feeds(DataType type) {
        INDArray ids = Nd4j.createFromArray(3, 0, 49, 7, 3, 11);
        return Map.of("ids", ids, "y", ToyGraph.random(new Random(24), type, ids.length(), VOCABULARY));
    }
}
