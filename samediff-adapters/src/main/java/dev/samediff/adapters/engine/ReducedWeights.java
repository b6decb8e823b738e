package dev.samediff.adapters.engine;

import dev.samediff.adapters.engine.plan.Conversion;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Frozen weights rounded to bfloat16, made when they are first needed and again when the weight has changed. */
final class ReducedWeights implements AutoCloseable {
    private static final int SAMPLES = 32;

    private final SameDiff graph;
    private final Map<String, Entry> entries = new HashMap<>();

    ReducedWeights(SameDiff graph) {
        this.graph = graph;
    }

    private record Entry(INDArray source, float[] samples, INDArray reduced) {}

    INDArray get(String variable) {
        INDArray source = graph.getArrForVarName(variable);
        Entry entry = entries.get(variable);
        float[] samples = samples(source);
        if (entry == null || entry.source() != source || !Arrays.equals(entry.samples(), samples)) {
            if (entry != null) {
                entry.reduced().close();
            }
            entry = new Entry(source, samples, Conversion.toBfloat16(source));
            entries.put(variable, entry);
        }
        return entry.reduced();
    }

    /** Some elements from all over the weight: a weight that was merged into or replaced differs in nearly all of them. */
    private static float[] samples(INDArray array) {
        long length = array.length();
        int count = (int) Math.min(SAMPLES, length);
        float[] samples = new float[count];
        for (int i = 0; i < count; i++) {
            samples[i] = array.getFloat(i * (length - 1) / Math.max(1, count - 1));
        }
        return samples;
    }

    @Override
    public void close() {
        entries.values().forEach(entry -> entry.reduced().close());
        entries.clear();
    }
}
