package dev.samediff.adapters.predict;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** An encoder of letters: a vector of each, mixed with the mean of all, a layer, and a head on the mean. */
final class TinyEncoder {
    static final String FEATURES = "features";
    static final String LOGITS = "logits";

    final CharTokenizer letters = CharTokenizer.ofText("abcdefghijklmnopqrstuvwxyz ");
    final SameDiff graph = SameDiff.create();

    TinyEncoder(int classes) {
        this(classes, -1, -1);
    }

    /** For so many texts of so many tokens alone; -1 is any number. */
    TinyEncoder(int classes, int texts, int tokens) {
        int width = 8;
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, texts, tokens);
        SDVariable mask = graph.placeHolder("attention_mask", DataType.INT64, texts, tokens);
        graph.placeHolder("labels", DataType.INT32, -1); // as training leaves one behind
        SDVariable table = graph.constant("embedding.weight", normal(1, letters.vocabularySize(), width));
        SDVariable embedded = graph.gather(table, ids, 0);
        SDVariable counted = graph.expandDims(mask.castTo(DataType.FLOAT), 2);
        SDVariable mean = embedded.mul(counted).sum(true, 1).div(counted.sum(true, 1));
        SDVariable mixed = embedded.add(mean);
        SDVariable rows = graph.reshape(mixed, -1, width);
        SDVariable hidden = graph.math.tanh(graph.mmul(rows, graph.var("dense.weight", normal(0.5, width, width))));
        SDVariable shape = graph.stack(
                0,
                graph.sizeAt(ids, 0).castTo(DataType.INT64),
                graph.sizeAt(ids, 1).castTo(DataType.INT64),
                graph.constant(Nd4j.scalar(DataType.INT64, width)));
        graph.reshape(hidden, shape).rename(FEATURES);
        TaskHead.classification(classes).withPooling(Pooling.MEAN).addTo(graph, FEATURES, width, "attention_mask");
        graph.getVariable("classifier.weight").setArray(normal(1, width, classes));
        graph.getVariable("classifier.bias").setArray(normal(0.3, classes));
    }

    private static INDArray normal(double scale, long... shape) {
        Random random = new Random(shape[0]);
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, scale * random.nextGaussian());
        }
        return array;
    }

    /** An adapter with a head of its own, all of it moved at random. */
    AdapterState adapter(long seed) {
        AdaptedModel model = AdaptedModel.inject(
                SharingCopy.of(graph), AdapterConfig.of(Lora.rank(2)).withModulesToSave("classifier"));
        Random random = new Random(seed);
        Map<String, INDArray> moved = new HashMap<>();
        model.trainables().forEach((name, array) -> {
            for (long i = 0; i < array.length(); i++) {
                array.putScalar(i, array.getFloat(i) + random.nextGaussian());
            }
            moved.put(name, array);
        });
        model.restore(moved);
        return model.state();
    }

    /** What SameDiff itself computes for one text, without padding. */
    INDArray output(SameDiff of, String text, String name) {
        int[] ids = letters.encode(text);
        long[] tokens = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            tokens[i] = ids[i];
        }
        INDArray row = Nd4j.createFromArray(tokens).reshape(1, ids.length);
        return of.outputSingle(Map.of("input_ids", row, "attention_mask", Nd4j.onesLike(row)), name)
                .slice(0);
    }
}
