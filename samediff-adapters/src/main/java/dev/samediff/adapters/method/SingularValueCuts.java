package dev.samediff.adapters.method;

import dev.samediff.adapters.AfterStep;
import dev.samediff.adapters.memory.HostFloats;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Sets singular values of SORSA to zero for good where they have become small beside the largest of their layer ({@link SingularValueCut}). The
 * largest is never cut. The vectors of a cut rank stay where they are, orthonormal to the others, and add nothing to the weight.
 */
final class SingularValueCuts implements AfterStep {
    private static final String KEPT = "kept/";

    private final SingularValueCut rule;
    private final String values;
    private final Map<String, float[]> kept = new LinkedHashMap<>();

    /**
     * @param rule when and what to cut
     * @param values short name of the tensor of values [r], of experts [experts,r]
     */
    SingularValueCuts(SingularValueCut rule, String values) {
        this.rule = rule;
        this.values = values;
    }

    @Override
    public void begin(int updates) {}

    @Override
    public void updated(int update, List<Layer> layers) {
        boolean due = update % rule.interval() == 0;
        for (int i = 0; i < layers.size(); i++) {
            INDArray tensor = LowRank.get(layers.get(i).values(), values);
            float[] mask = kept.get(KEPT + i);
            if (due) {
                mask = chosen(tensor, mask);
                kept.put(KEPT + i, mask);
            }
            if (mask != null) {
                try (INDArray factors = Nd4j.createFromArray(mask)) {
                    tensor.muli(factors.reshape(tensor.shape()));
                }
            }
        }
    }

    private float[] chosen(INDArray tensor, float @Nullable [] before) {
        float[] numbers = HostFloats.of(tensor);
        int ranks = Math.toIntExact(tensor.size(-1));
        float[] mask = new float[numbers.length];
        for (int start = 0; start < numbers.length; start += ranks) {
            float largest = 0;
            for (int k = start; k < start + ranks; k++) {
                largest = Math.max(largest, Math.abs(numbers[k]));
            }
            for (int k = start; k < start + ranks; k++) {
                boolean alive = before == null || before[k] != 0;
                mask[k] = alive && Math.abs(numbers[k]) >= rule.share() * largest ? 1 : 0;
            }
        }
        return mask;
    }

    @Override
    public Map<String, INDArray> state() {
        Map<String, INDArray> state = new LinkedHashMap<>();
        kept.forEach((name, mask) -> state.put(name, Nd4j.createFromArray(Arrays.copyOf(mask, mask.length))));
        return state;
    }

    @Override
    public void restore(Map<String, INDArray> state) {
        kept.clear();
        state.forEach((name, mask) -> kept.put(name, HostFloats.of(mask)));
    }
}
