package dev.samediff.adapters.task;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphOutputs;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One vector for each text, of the features of its tokens.
 *
 * @param graph the graph
 * @param prefix start of the names of all variables made here
 * @param pooling how
 */
record PooledFeatures(SameDiff graph, String prefix, Pooling pooling) {
    /** The pooled features, as a sum over tokens with weights; so there is one way for all, of ops that are differentiated right. */
    SDVariable of(SDVariable features, Optional<String> mask) {
        if (pooling == Pooling.EACH || pooling == Pooling.GIVEN) {
            return features;
        }
        SDVariable weights = weights(features, mask);
        SDVariable column = graph.expandDims(prefix + "/token_weights", weights.castTo(features.dataType()), 2);
        return features.mul(prefix + "/weighted", column).sum(prefix + "/pooled", 1);
    }

    /** The tokens' weights [batch, tokens], or [1, tokens] if they are the same for all texts. */
    private SDVariable weights(SDVariable features, Optional<String> mask) {
        SDVariable tokens = graph.sizeAt(features, 1).castTo(DataType.INT64);
        SDVariable numbers = graph.range(
                        graph.constant(prefix + "/first_token", Nd4j.scalar(DataType.INT64, 0)),
                        tokens,
                        graph.constant(prefix + "/next_token", Nd4j.scalar(DataType.INT64, 1)),
                        DataType.INT32)
                .castTo(DataType.FLOAT);
        SDVariable places = graph.expandDims(numbers, 0);
        if (pooling == Pooling.FIRST) {
            return graph.eq(places, graph.constant(prefix + "/zero", Nd4j.scalar(0f)))
                    .castTo(DataType.FLOAT);
        }
        SDVariable counted = require(
                        graph,
                        mask.orElseThrow(() -> new InvalidInputException("the pooling " + pooling
                                + " needs the attention mask, which says where the padding is; name its placeholder")),
                        "masks")
                .castTo(DataType.FLOAT);
        if (pooling == Pooling.MEAN) {
            SDVariable count = counted.sum(true, 1);
            SDVariable none = graph.eq(count, graph.constant(prefix + "/nothing", Nd4j.scalar(0f)))
                    .castTo(DataType.FLOAT);
            return counted.div(count.add(none));
        }
        SDVariable order = counted.mul(places.add(1));
        return graph.eq(order, order.max(true, 1)).castTo(DataType.FLOAT).mul(counted);
    }

    static SDVariable require(SameDiff graph, String name, String what) {
        if (!graph.hasVariable(name)) {
            throw new InvalidInputException("there are no " + what + " `" + name
                    + "` in this graph to put a head on; its outputs are " + GraphOutputs.text(graph)
                    + ", its placeholders " + graph.inputs());
        }
        return graph.getVariable(name);
    }
}
