package dev.samediff.adapters;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * How tensors T_i of several adapters become one with weights w_i, entry by entry, in float64; PEFT's {@code combination_type}s.
 *
 * <pre>
 * LINEAR           sum w_i T_i
 * MAGNITUDE_PRUNE  sum w_i prune(T_i)            prune keeps the int(density n) entries of the largest size
 * TIES             sum over those that agree of w_i prune(T_i) / max(1, how many agree)     (Yadav et al. 2023)
 * DARE_LINEAR      sum w_i mask_i T_i / density   mask is 1 with the probability density       (Yu et al. 2024)
 * DARE_TIES        as TIES, of mask_i T_i / density in place of prune(T_i)
 * </pre>
 *
 * <p>In TIES an entry agrees if its sign is that of the sum over the T_i (without weights; of their signs if {@code byFrequency}),
 * where zero counts as positive. So two equal adapters with weights of a half give half of one, as in PEFT.
 *
 * @param how what is done
 * @param density share of entries that stay, above 0 and up to 1; 1 for LINEAR
 * @param byFrequency whether the sign of the majority counts, not that of the sum (PEFT's {@code majority_sign_method} "frequency")
 * @param seed of the masks
 */
public record MergeRule(How how, double density, boolean byFrequency, long seed) {
    /** The kinds of rules. */
    public enum How {
        /** A weighted sum. */
        LINEAR,
        /** A weighted sum of the largest entries. */
        MAGNITUDE_PRUNE,
        /** The largest entries, where adapters agree in sign. */
        TIES,
        /** A weighted sum of random entries. */
        DARE_LINEAR,
        /** Random entries, where adapters agree in sign. */
        DARE_TIES
    }

    public MergeRule {
        if (!(density > 0 && density <= 1)) {
            throw new InvalidInputException("the density " + density + " of " + how
                    + " is not above 0 and up to 1; it is the share of entries that stay");
        }
    }

    /** Returns the weighted sum. */
    public static MergeRule linear() {
        return new MergeRule(How.LINEAR, 1, false, 0);
    }

    /** Returns a rule that keeps a share of the entries. */
    public static MergeRule of(How how, double density) {
        return new MergeRule(how, density, false, 0);
    }

    /** Returns this with the sign of the majority in place of that of the sum. */
    public MergeRule withMajorityOfSigns() {
        return new MergeRule(how, density, true, seed);
    }

    /** Returns this with other masks. */
    public MergeRule withSeed(long newSeed) {
        return new MergeRule(how, density, byFrequency, newSeed);
    }

    /**
     * Applies the rule.
     *
     * @param tensors the entries of each adapter's tensor, as many of each; not modified
     * @param weights one for each
     * @param name of the tensor, of which masks depend
     */
    double[] apply(List<double[]> tensors, double[] weights, String name) {
        boolean drawn = how == How.DARE_LINEAR || how == How.DARE_TIES;
        List<double[]> masks = new ArrayList<>();
        for (int i = 0; drawn && i < tensors.size(); i++) {
            Random random = new Random(seed ^ (31L * name.hashCode() + i) * 0x9E3779B97F4A7C15L);
            masks.add(random.doubles(tensors.get(i).length)
                    .map(number -> number < density ? 1 : 0)
                    .toArray());
        }
        return apply(tensors, weights, masks);
    }

    /** Applies the rule with given masks. */
    double[] apply(List<double[]> tensors, double[] weights, List<double[]> masks) {
        List<double[]> left = new ArrayList<>();
        for (int i = 0; i < tensors.size(); i++) {
            left.add(
                    switch (how) {
                        case LINEAR -> tensors.get(i);
                        case MAGNITUDE_PRUNE, TIES -> pruned(tensors.get(i));
                        case DARE_LINEAR, DARE_TIES -> masked(tensors.get(i), masks.get(i));
                    });
        }
        boolean elects = how == How.TIES || how == How.DARE_TIES;
        double[] result = new double[tensors.get(0).length];
        for (int p = 0; p < result.length; p++) {
            result[p] = elects ? elected(left, weights, p) : sum(left, weights, p);
        }
        return result;
    }

    private double[] pruned(double[] tensor) {
        int kept = (int) (density * tensor.length);
        double[] pruned = new double[tensor.length];
        IntStream.range(0, tensor.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer p) -> -Math.abs(tensor[p])))
                .limit(kept)
                .forEach(p -> pruned[p] = tensor[p]);
        return pruned;
    }

    private double[] masked(double[] tensor, double[] mask) {
        double[] masked = tensor.clone();
        Arrays.setAll(masked, p -> tensor[p] * mask[p] / density);
        return masked;
    }

    private static double sum(List<double[]> tensors, double[] weights, int p) {
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            sum += weights[i] * tensors.get(i)[p];
        }
        return sum;
    }

    private double elected(List<double[]> tensors, double[] weights, int p) {
        double votes = 0;
        for (double[] tensor : tensors) {
            votes += byFrequency ? Math.signum(tensor[p]) : tensor[p];
        }
        double sign = votes >= 0 ? 1 : -1;
        double sum = 0;
        int agree = 0;
        for (int i = 0; i < weights.length; i++) {
            if (Math.signum(tensors.get(i)[p]) == sign) {
                sum += weights[i] * tensors.get(i)[p];
                agree++;
            }
        }
        return sum / Math.max(1, agree);
    }
}
