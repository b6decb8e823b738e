package dev.samediff.adapters.testing;

import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A mixture of experts: {@code y = sum_e p_e tanh(x U_e) D_e^T} with {@code p = softmax(x G)}, loss = mean squared difference
 * from {@code t}. The experts are two tensors, {@code up [E,in,hidden]} and {@code down [E,out,hidden]}, or 2 E linear layers with
 * the same numbers.
 */
public final class ExpertGraph {
    public static final int EXPERTS = 3;
    public static final int IN = 4;
    public static final int HIDDEN = 5;
    public static final int OUT = 6;
    public static final String GATE = "mlp.gate";
    public static final String UP = "mlp.experts.up";
    public static final String DOWN = "mlp.experts.down";

    private ExpertGraph() {}

    /** Returns the graph with the experts in two tensors, placeholders x and t, and the loss variable {@code loss}. */
    public static SameDiff stacked(DataType type) {
        return create(type, true);
    }

    /** Returns the graph with a layer for each expert: {@code mlp.experts.up.0} and so on. */
    public static SameDiff separate(DataType type) {
        return create(type, false);
    }

    private static SameDiff create(DataType type, boolean stacked) {
        Random random = new Random(23);
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", type, -1, IN);
        SDVariable t = graph.placeHolder("t", type, -1, OUT);
        INDArray gate = ToyGraph.random(random, type, IN, EXPERTS);
        INDArray up = ToyGraph.random(random, type, EXPERTS, IN, HIDDEN);
        INDArray down = ToyGraph.random(random, type, EXPERTS, OUT, HIDDEN);
        SDVariable p = graph.nn.softmax("p", graph.mmul("scores", x, graph.var(GATE + ".weight", gate)), 1);
        SDVariable y = stacked ? together(graph, x, p, up, down) : oneByOne(graph, x, p, up, down);
        SDVariable error = y.sub("error", t);
        error.mul("squares", error).mean("loss");
        graph.setLossVariables("loss");
        return graph;
    }

    private static SDVariable together(SameDiff graph, SDVariable x, SDVariable p, INDArray up, INDArray down) {
        SDVariable ones = graph.constant("ones", Nd4j.ones(x.dataType(), EXPERTS, 1, 1));
        SDVariable each = graph.expandDims("rows", x, 0).mul("each", ones);
        SDVariable hidden = graph.math.tanh("hidden", graph.mmul("upper", each, graph.var(UP, up)));
        SDVariable made = graph.mmul("made", hidden, graph.var(DOWN, down), false, true, false);
        SDVariable weights = graph.expandDims("weights", graph.permute("turned", p, 1, 0), 2);
        return made.mul("weighted", weights).sum("y", 0);
    }

    private static SDVariable oneByOne(SameDiff graph, SDVariable x, SDVariable p, INDArray up, INDArray down) {
        SDVariable sum = null;
        for (int e = 0; e < EXPERTS; e++) {
            SDVariable u = graph.var(UP + "." + e + ".weight", up.slice(e).dup('c'));
            SDVariable d = graph.var(DOWN + "." + e + ".weight", down.slice(e).dup('c'));
            SDVariable hidden = graph.math.tanh("hidden" + e, graph.mmul("upper" + e, x, u));
            SDVariable made = graph.mmul("made" + e, hidden, d, false, true, false);
            INDArray chosen = Nd4j.zeros(x.dataType(), EXPERTS, 1).putScalar(e, 0, 1);
            SDVariable weight = graph.mmul("weight" + e, p, graph.constant("chosen" + e, chosen));
            SDVariable weighted = made.mul("weighted" + e, weight);
            sum = sum == null ? weighted : sum.add("sum" + e, weighted);
        }
        return sum;
    }

    /** Returns values for all placeholders, for a number of rows. */
    public static Map<String, INDArray> feeds(DataType type, int rows) {
        Random random = new Random(24);
        return Map.of("x", ToyGraph.random(random, type, rows, IN), "t", ToyGraph.random(random, type, rows, OUT));
    }
}
