package dev.samediff.adapters.testing;

import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A small two-layer network, {@code out = tanh(x Wup + bup) Wdown^T + bdown}, with a weight in each orientation and module
 * paths like a transformer's. Placeholders {@code x [N,in]} and {@code y [N,in]}; the loss is the mean squared error.
 */
public final class ToyGraph {
    public static final String UP = "model.layers.0.up_proj";
    public static final String DOWN = "model.layers.0.down_proj";

    private ToyGraph() {}

    /** Returns the graph with loss variable {@code loss}. */
    public static SameDiff create(DataType type, int in, int hidden) {
        Random random = new Random(11);
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", type, -1, in);
        SDVariable y = graph.placeHolder("y", type, -1, in);
        SDVariable up = graph.var(UP + ".weight", random(random, type, in, hidden));
        SDVariable upBias = graph.var(UP + ".bias", random(random, type, hidden));
        SDVariable down = graph.var(DOWN + ".weight", random(random, type, in, hidden));
        SDVariable downBias = graph.var(DOWN + ".bias", random(random, type, in));
        SDVariable h = graph.math.tanh("h", graph.mmul("up", x, up).add("up_b", upBias));
        SDVariable out = graph.mmul("down", h, down, false, true, false).add("out", downBias);
        SDVariable error = out.sub("error", y);
        error.mul("squares", error).mean("loss");
        graph.setLossVariables("loss");
        return graph;
    }

    /** Returns an array of N(0, 1/4). */
    public static INDArray random(Random random, DataType type, long... shape) {
        int length = 1;
        for (long s : shape) {
            length *= (int) s;
        }
        double[] values = random.doubles(length, -1, 1).toArray();
        return Nd4j.createFromArray(values).reshape(shape).castTo(type);
    }
}
