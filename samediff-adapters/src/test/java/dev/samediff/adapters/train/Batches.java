package dev.samediff.adapters.train;

import dev.samediff.adapters.engine.TinyGpt;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.MultiDataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** Batches from memory, in the same order every epoch. */
public final class Batches implements MultiDataSetIterator {
    private static final long serialVersionUID = 1L;

    final List<org.nd4j.linalg.dataset.api.MultiDataSet> list = new ArrayList<>();
    int taken;
    private int next;

    /** Random batches for a {@link TinyGpt}: features input_ids and causal. */
    public static Batches of(TinyGpt gpt, int count, int size, int length) {
        Batches batches = new Batches();
        for (int i = 0; i < count; i++) {
            batches.list.add(dataSet(gpt.batch(size, length, 100 + i)));
        }
        return batches;
    }

    static MultiDataSet dataSet(Map<String, INDArray> values) {
        return new MultiDataSet(
                arrays(values, "input_ids", "causal"), arrays(values, "labels"), null, arrays(values, "label_mask"));
    }

    private static INDArray[] arrays(Map<String, INDArray> values, String... names) {
        INDArray[] arrays = new INDArray[names.length];
        for (int i = 0; i < names.length; i++) {
            INDArray array = values.get(names[i]);
            if (array == null) {
                throw new IllegalArgumentException(names[i]);
            }
            arrays[i] = array;
        }
        return arrays;
    }

    /** The same data in half as many batches. */
    Batches joined() {
        Batches joined = new Batches();
        for (int i = 0; i < list.size(); i += 2) {
            var a = list.get(i);
            var b = list.get(i + 1);
            joined.list.add(new MultiDataSet(
                    new INDArray[] {Nd4j.concat(0, a.getFeatures(0), b.getFeatures(0)), a.getFeatures(1)},
                    new INDArray[] {Nd4j.concat(0, a.getLabels(0), b.getLabels(0))},
                    null,
                    new INDArray[] {Nd4j.concat(0, a.getLabelsMaskArray(0), b.getLabelsMaskArray(0))}));
        }
        return joined;
    }

    @Override
    public org.nd4j.linalg.dataset.api.MultiDataSet next() {
        taken++;
        return list.get(next++);
    }

    @Override
    public org.nd4j.linalg.dataset.api.MultiDataSet next(int count) {
        return next();
    }

    @Override
    public boolean hasNext() {
        return next < list.size();
    }

    @Override
    public void reset() {
        next = 0;
    }

    @Override
    public boolean resetSupported() {
        return true;
    }

    @Override
    public boolean asyncSupported() {
        return false;
    }

    @Override
    public void setPreProcessor(MultiDataSetPreProcessor preProcessor) {
        throw new IllegalStateException();
    }

    @Override
    public @Nullable MultiDataSetPreProcessor getPreProcessor() {
        return null;
    }
}
