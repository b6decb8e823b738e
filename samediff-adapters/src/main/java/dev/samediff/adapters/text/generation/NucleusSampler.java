package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/** Temperature, then top-k, then top-p, then min-p, then one draw. Source of top-p: Holtzman et al., arXiv 1904.09751, section 3.1. */
record NucleusSampler(double temperature, int topK, double topP, double minP) implements Sampler {
    NucleusSampler {
        if (!(temperature > 0) || Double.isInfinite(temperature)) {
            throw new InvalidInputException(
                    "temperature " + temperature + " must be above 0; use greedy decoding for temperature 0");
        }
        if (topK < 0 || !(topP > 0) || topP > 1) {
            throw new InvalidInputException("top-k " + topK + " must be 0 (all) or more, top-p " + topP + " in (0, 1]");
        }
        if (!(minP >= 0) || minP > 1) {
            throw new InvalidInputException("min-p " + minP + " must be in [0, 1]; 0 for all tokens");
        }
    }

    @Override
    public int choose(float[] logits, RandomGenerator random) {
        LogitsCheck.require(logits);
        boolean all = (topK == 0 || topK >= logits.length) && topP == 1;
        int[] ids = all ? null : likeliestFirst(logits);
        int kept = ids == null || topK == 0 ? logits.length : Math.min(topK, logits.length);
        double[] weights = new double[kept];
        float highest = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            highest = Math.max(highest, logit);
        }
        double total = 0;
        for (int i = 0; i < kept; i++) {
            weights[i] = Math.exp((logits[ids == null ? i : ids[i]] - (double) highest) / temperature);
            total += weights[i];
        }
        double nucleus = total;
        if (topP < 1) {
            nucleus = 0;
            int count = 0;
            while (count < kept && (count == 0 || nucleus < topP * total)) {
                nucleus += weights[count++];
            }
            kept = count;
        }
        if (minP > 0) {
            nucleus = 0;
            for (int i = 0; i < kept; i++) {
                // the likeliest token weighs 1
                weights[i] = weights[i] < minP ? 0 : weights[i];
                nucleus += weights[i];
            }
        }
        int chosen = draw(weights, kept, random.nextDouble() * nucleus);
        return ids == null ? chosen : ids[chosen];
    }

    private static int draw(double[] weights, int kept, double point) {
        int last = 0;
        double sum = 0;
        for (int i = 0; i < kept; i++) {
            if (weights[i] > 0) {
                last = i;
                sum += weights[i];
                if (point < sum) {
                    break;
                }
            }
        }
        return last;
    }

    /** Ids by falling logit, equal logits by rising id: one sort of primitive keys. */
    private static int[] likeliestFirst(float[] logits) {
        long[] keys = new long[logits.length];
        for (int id = 0; id < keys.length; id++) {
            int bits = Float.floatToIntBits(logits[id] + 0f); // + 0 makes -0 into 0
            int rising = bits ^ (bits >> 31 & Integer.MAX_VALUE); // ordered as the floats are
            keys[id] = (long) ~rising << 32 | id;
        }
        Arrays.sort(keys);
        int[] ids = new int[keys.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (int) keys[i];
        }
        return ids;
    }
}
