package dev.samediff.importer.lowering;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** Layer normalisation from primitives: SameDiff's own has no epsilon, and its variance a wrong gradient. */
final class Normalisation {
    private Normalisation() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("LayerNormalization", Normalisation::layerNorm);
        operators.put("SimplifiedLayerNormalization", Normalisation::rmsNorm);
    }

    private static int[] axes(NodeCall call) {
        int rank = call.in(0).rank();
        return IntStream.range(call.axis("axis", -1, rank), rank).toArray();
    }

    private static List<Value> layerNorm(NodeCall call) {
        refuseStatistics(call);
        Value x = call.in(0);
        SameDiff graph = call.graph();
        SDVariable centred = x.variable().sub(graph.mean(x.variable(), true, axes(call)));
        SDVariable variance = graph.mean(graph.math().square(centred), true, axes(call));
        return call.result(scaled(call, centred, variance), x);
    }

    private static List<Value> rmsNorm(NodeCall call) {
        refuseStatistics(call);
        Value x = call.in(0);
        SameDiff graph = call.graph();
        SDVariable squares = graph.mean(graph.math().square(x.variable()), true, axes(call));
        return call.result(scaled(call, x.variable(), squares), x);
    }

    /** {@code x / sqrt(v + eps) * scale + shift}, in the order in which torch exports it before operator set 17. */
    private static SDVariable scaled(NodeCall call, SDVariable x, SDVariable variance) {
        double epsilon = call.node().real("epsilon", 1e-5f);
        // not by division, whose gradient is wrong if there is a single row
        SDVariable normal =
                x.mul(call.graph().math().sqrt(variance.add(epsilon)).rdiv(1.0));
        SDVariable scaled = normal.mul(call.in(1).variable());
        return call.optional(2).map(shift -> scaled.add(shift.variable())).orElse(scaled);
    }

    private static void refuseStatistics(NodeCall call) {
        List<String> outputs = call.node().outputs();
        String[] extra = outputs.subList(1, outputs.size()).toArray(new String[0]);
        if (!Arrays.stream(extra).allMatch(call::isUnread)) {
            throw call.refused(
                    "hands out its mean or deviation; only the normalised tensor can be imported",
                    "compute it by ReduceMean where it is needed");
        }
    }
}
