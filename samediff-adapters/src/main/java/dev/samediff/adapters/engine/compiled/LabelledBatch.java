package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.fusion.LabelledRows;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Which rows of a batch count for the loss. */
final class LabelledBatch {
    private LabelledBatch() {}

    /** Returns for how many rows a program is made that computes the loss of this batch. */
    static long capacity(LabelledRows.Mask mask, Map<String, INDArray> placeholders) {
        return mask.capacity(count(mask(mask, placeholders)));
    }

    /**
     * Returns the numbers of the rows that count, and of some that do not, LONG [capacity].
     *
     * @param capacity how many, at least as many as count
     */
    static INDArray numbers(LabelledRows.Mask mask, Map<String, INDArray> placeholders, long capacity) {
        float[] weights = mask(mask, placeholders);
        long[] numbers = new long[Math.toIntExact(capacity)];
        int next = 0;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] != 0) {
                numbers[next++] = i;
            }
        }
        for (int i = 0; next < numbers.length; i++) {
            if (weights[i] == 0) {
                numbers[next++] = i;
            }
        }
        return Nd4j.createFromArray(numbers);
    }

    private static long count(float[] weights) {
        long count = 0;
        for (float weight : weights) {
            if (weight != 0) {
                count++;
            }
        }
        return count;
    }

    private static float[] mask(LabelledRows.Mask mask, Map<String, INDArray> placeholders) {
        INDArray array = placeholders.get(mask.leaf());
        if (array == null) {
            throw new IllegalStateException("no value was given for the placeholder `" + mask.leaf() + "`");
        }
        return array.dup('c').data().asFloat();
    }
}
