package dev.samediff.adapters;

import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The smallest models that the tasks need, in one graph: a table, a layer, and perhaps a head. */
final class TaskModels {
    static final int WIDTH = 16;

    private final SameDiff graph = SameDiff.create();
    private final Random random = new Random(5);
    private final int vocabulary;

    TaskModels(int vocabulary) {
        this.vocabulary = vocabulary;
    }

    SameDiff graph() {
        return graph;
    }

    private INDArray numbers(double scale, long... shape) {
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, scale * random.nextGaussian());
        }
        return array;
    }

    /** Every token looked up and through a layer: [B,T,width] of ids. */
    SDVariable features(SDVariable ids, String name) {
        SDVariable table = graph.constant(name + ".embedding.weight", numbers(1, vocabulary, WIDTH));
        SDVariable rows = graph.reshape(graph.gather(table, ids, 0), -1, WIDTH);
        SDVariable dense =
                graph.math.tanh(graph.mmul(rows, graph.constant(name + ".dense.weight", numbers(0.5, WIDTH, WIDTH))));
        return shaped(dense, ids, WIDTH);
    }

    private SDVariable shaped(SDVariable rows, SDVariable ids, int width) {
        SDVariable shape = graph.stack(
                0,
                graph.sizeAt(ids, 0).castTo(DataType.INT64),
                graph.sizeAt(ids, 1).castTo(DataType.INT64),
                graph.constant(Nd4j.scalar(DataType.INT64, width)));
        return graph.reshape(rows, shape);
    }

    SDVariable ids(String name) {
        return graph.placeHolder(name, DataType.INT64, -1, -1);
    }

    /** An encoder with the outputs of an export without a head. */
    void encoder() {
        SDVariable ids = ids("input_ids");
        graph.placeHolder("attention_mask", DataType.INT64, -1, -1);
        features(ids, "encoder").rename("last_hidden_state");
    }

    /** A language model. */
    void decoder(SDVariable ids, SDVariable features) {
        SDVariable rows = graph.reshape(features, -1, WIDTH);
        SDVariable scores = graph.mmul(rows, graph.constant("lm_head.weight", numbers(0.3, WIDTH, vocabulary)));
        shaped(scores, ids, vocabulary).rename("logits");
    }
}
