package dev.samediff.adapters.engine.compiled;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Notices when a frozen weight has changed, by some of its elements: a weight that was merged into differs in nearly all. */
final class WeightWatch {
    private static final int PLACES = 4;
    private static final int NEIGHBOURS = 8;

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

    /** Elements of a few places all over the weight: every place is a page of memory, or one read from a file. */
    private static float[] samples(INDArray array) {
        long length = array.length();
        int places = (int) Math.min(PLACES, length);
        float[] samples = new float[places * NEIGHBOURS];
        for (int i = 0; i < places; i++) {
            long start = i * (length - 1) / Math.max(1, places - 1);
            for (int j = 0; j < NEIGHBOURS; j++) {
                samples[i * NEIGHBOURS + j] = array.getFloat(Math.max(0, start - j));
            }
        }
        return samples;
    }
}
