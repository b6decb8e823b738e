package dev.samediff.adapters.engine;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Notices when a frozen weight has changed, by some of its elements: a weight that was merged into differs in nearly all. */
final class WeightWatch {
    private static final int SAMPLES = 32;

    private final Map<String, Seen> seen = new HashMap<>();

    private record Seen(INDArray array, float[] samples) {}

    /** Tells whether a weight is another than at the last call, or there was none. */
    boolean hasChanged(String variable, INDArray array) {
        Seen last = seen.get(variable);
        float[] samples = samples(array);
        if (last != null && last.array() == array && Arrays.equals(last.samples(), samples)) {
            return false;
        }
        seen.put(variable, new Seen(array, samples));
        return true;
    }

    /** Elements from all over the weight. */
    private static float[] samples(INDArray array) {
        long length = array.length();
        int count = (int) Math.min(SAMPLES, length);
        float[] samples = new float[count];
        for (int i = 0; i < count; i++) {
            samples[i] = array.getFloat(i * (length - 1) / Math.max(1, count - 1));
        }
        return samples;
    }
}
