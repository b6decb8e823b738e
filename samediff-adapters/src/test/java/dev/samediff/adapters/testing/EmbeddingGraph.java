package dev.samediff.adapters.testing;

import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A language model without attention and with a tied head: {@code x = E[ids] + P[positions] + E[positions]},
 * {@code logits = tanh(x W) E^T}, loss = mean squared difference from {@code y}. The ids repeat rows, also across lookups.
 */
public final class EmbeddingGraph {
    public static final String TOKENS = "transformer.wte";
    public static final String POSITIONS = "transformer.wpe";
    public static final String LINEAR = "transformer.h.0.mlp";
    public static final int VOCABULARY = 13;
    public static final int LENGTH = 7;
    public static final int DIM = 6;
    public static final int[][] IDS = {{3, 0, 3, 12}, {1, 3, 0, 0}};
    public static final long[] WHERE = {0, 1, 2, 2};

    private EmbeddingGraph() {}

    /** Returns the graph with placeholders ids, positions, y and loss variable {@code loss}. */
    public static SameDiff create(DataType type) {
        Random random = new Random(17);
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("ids", DataType.INT, -1, -1);
        SDVariable positions = graph.placeHolder("positions", DataType.LONG, -1);
        SDVariable y = graph.placeHolder("y", type, -1, VOCABULARY);
        SDVariable wte = graph.constant(TOKENS + ".weight", ToyGraph.random(random, type, VOCABULARY, DIM));
        SDVariable wpe = graph.constant(POSITIONS + ".weight", ToyGraph.random(random, type, LENGTH, DIM));
        SDVariable w = graph.var(LINEAR + ".weight", ToyGraph.random(random, type, DIM, DIM));
        SDVariable tokens = graph.gather("tokens", wte, ids, 0);
        SDVariable places = graph.gather("places", wpe, positions, 0);
        SDVariable again = graph.gather("again", wte, positions, 0);
        SDVariable x = graph.reshape("x", tokens.add("sum", places).add("all", again), -1, DIM);
        SDVariable a = graph.math.tanh("a", graph.mmul("z", x, w));
        SDVariable logits = graph.mmul("logits", a, wte, false, true, false);
        SDVariable error = logits.sub("error", y);
        error.mul("squares", error).mean("loss");
        graph.setLossVariables("loss");
        return graph;
    }

    /** Returns values for all placeholders. */
    public static Map<String, INDArray> feeds(DataType type) {
        INDArray y = ToyGraph.random(new Random(18), type, (long) IDS.length * WHERE.length, VOCABULARY);
        return Map.of("ids", Nd4j.createFromArray(IDS), "positions", Nd4j.createFromArray(WHERE), "y", y);
    }
}
