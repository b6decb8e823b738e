package dev.samediff.adapters.text.generation;

import java.lang.ref.Reference;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Reads the logits of one position in bulk, whatever the array's type, order and strides. */
final class LastLogits {
    private LastLogits() {}

    static float[] of(INDArray logits, int row, int position) {
        INDArray view = logits.rank() == 3
                ? logits.get(NDArrayIndex.point(row), NDArrayIndex.point(position), NDArrayIndex.all())
                : logits.get(NDArrayIndex.point(row), NDArrayIndex.all());
        INDArray copy = (view.dataType() == DataType.FLOAT ? view : view.castTo(DataType.FLOAT)).dup('c');
        Nd4j.getAffinityManager().ensureLocation(copy, AffinityManager.Location.HOST);
        float[] values = new float[Math.toIntExact(copy.length())];
        try {
            new FloatPointer(copy.data().addressPointer()).get(values);
        } finally {
            Reference.reachabilityFence(copy);
        }
        return values;
    }

    static void check(INDArray logits, int batch, int width, int vocabulary) {
        boolean all = logits.rank() == 3 && logits.size(0) == batch && logits.size(1) == width;
        boolean last = logits.rank() == 2 && logits.size(0) == batch;
        if (!all && !last) {
            throw new IllegalStateException("the model gave logits " + java.util.Arrays.toString(logits.shape())
                    + " for ids [" + batch + ", " + width + "]; expected [" + batch + ", " + width
                    + ", vocabulary] or ["
                    + batch + ", vocabulary]");
        }
        if (logits.size(-1) < vocabulary) {
            throw new IllegalStateException("the model gave logits for " + logits.size(-1)
                    + " tokens, the tokenizer has " + vocabulary + "; model and tokenizer do not belong together");
        }
    }
}
