package dev.samediff.adapters.method;

import dev.samediff.adapters.AfterStep;
import dev.samediff.adapters.memory.HostFloats;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * AdaLoRA's choice of the ranks that stay (sections 3.2 and 3.3 of the paper), after every update. For every number p of A, e and B
 * with gradient g, with which it was updated:
 *
 * <pre>
 * I = |p g|,   J = b1 J + (1 - b1) I,   U = b2 U + (1 - b2) |I - J|,   s = J U              (equations 8 to 11)
 * S_k = s(e_k) + mean_i s(A_ik) + mean_j s(B_kj)                                          (equation 7)
 * </pre>
 *
 * <p>Of all layers' S, those up to the (r0 - b(t))-th smallest are cut: their e_k is set to zero. Until the last cut at T - last, an
 * e_k may come back to life; from then on the choice is kept. PEFT never makes it final if {@code tfinal} is 0 and its caller counts
 * from 0.
 */
final class RankAllocation implements AfterStep {
    private static final String IMPORTANCE = "importance/";
    private static final String UNCERTAINTY = "uncertainty/";
    private static final String KEPT = "kept/";

    private final RankBudget budget;
    private final int rank;
    private final Map<String, float[]> memory = new LinkedHashMap<>();
    private int updates;

    /**
     * @param budget how many ranks stay
     * @param rank of a layer at first, if no pattern says otherwise
     */
    RankAllocation(RankBudget budget, int rank) {
        this.budget = budget;
        this.rank = rank;
    }

    @Override
    public void begin(int planned) {
        updates = budget.total(planned);
    }

    @Override
    public void updated(int update, List<Layer> layers) {
        int end = updates - budget.last();
        if (!memory.containsKey(KEPT + 0)) {
            if (update < end) {
                remember(layers);
            }
            boolean due = update > budget.warmup() && update < end && update % budget.interval() == 0;
            if (due || update == end) {
                allocate(update, layers, update == end);
            }
            if (update == end) { // what was seen is of no more use
                memory.keySet().removeIf(name -> !name.startsWith(KEPT));
            }
            return;
        }
        for (int i = 0; i < layers.size(); i++) {
            cut(layers.get(i), memory.get(KEPT + i));
        }
    }

    private void remember(List<Layer> layers) {
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            for (Map.Entry<String, INDArray> tensor : layer.values().entrySet()) {
                String key = i + "/" + tensor.getKey();
                float[] values = HostFloats.of(tensor.getValue());
                float[] gradients = HostFloats.of(LowRank.get(layer.gradients(), tensor.getKey()));
                float[] importance = memory.computeIfAbsent(IMPORTANCE + key, name -> new float[values.length]);
                float[] uncertainty = memory.computeIfAbsent(UNCERTAINTY + key, name -> new float[values.length]);
                average(values, gradients, importance, uncertainty);
            }
        }
    }

    private void average(float[] values, float[] gradients, float[] importance, float[] uncertainty) {
        float beta1 = (float) budget.beta1();
        float beta2 = (float) budget.beta2();
        for (int p = 0; p < values.length; p++) {
            float now = Math.abs(values[p] * gradients[p]);
            float average = beta1 * importance[p] + (1 - beta1) * now;
            importance[p] = average;
            uncertainty[p] = beta2 * uncertainty[p] + (1 - beta2) * Math.abs(now - average);
        }
    }

    private void allocate(int update, List<Layer> layers, boolean last) {
        List<double[]> scores = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++) {
            scores.add(scores(i, layers.get(i).values()));
        }
        double[] all = scores.stream().flatMapToDouble(Arrays::stream).sorted().toArray();
        int atLast = layers.stream()
                .map(layer -> LowRank.get(layer.values(), AdaLora.E))
                .mapToInt(e -> (int) (e.length() / e.size(-1) * Math.min(budget.target(rank), e.size(-1))))
                .sum();
        int cuts = all.length - budget.at(all.length, atLast, update, updates);
        double threshold = cuts > 0 ? all[cuts - 1] : Double.NEGATIVE_INFINITY;
        for (int i = 0; i < layers.size(); i++) {
            double[] own = scores.get(i);
            float[] kept = new float[own.length];
            for (int k = 0; k < own.length; k++) {
                kept[k] = own[k] > threshold ? 1 : 0;
            }
            if (last) {
                memory.put(KEPT + i, kept);
            }
            cut(layers.get(i), kept);
        }
    }

    private static void cut(Layer layer, float @Nullable [] kept) {
        if (kept == null) {
            throw new IllegalStateException("an adapter has more layers than its checkpoint");
        }
        INDArray e = LowRank.get(layer.values(), AdaLora.E);
        try (INDArray mask = Nd4j.createFromArray(kept)) {
            e.muli(mask.reshape(e.shape()));
        }
    }

    /** S of every rank of a layer; of experts, one behind the other. */
    private double[] scores(int layer, Map<String, INDArray> values) {
        INDArray e = LowRank.get(values, AdaLora.E);
        int all = Math.toIntExact(e.length());
        if (!memory.containsKey(IMPORTANCE + layer + "/" + AdaLora.E)) { // nothing was seen yet: all are alike
            return new double[all];
        }
        int ranks = Math.toIntExact(e.size(-1));
        double[] scores = sums(layer, AdaLora.E, all, ranks);
        double[] down = sums(layer, AdaLora.A, all, ranks);
        int out = Math.toIntExact(LowRank.get(values, AdaLora.B).size(-1));
        int in = Math.toIntExact(LowRank.get(values, AdaLora.A).size(-2));
        double[] up = rowSums(layer, AdaLora.B, out);
        for (int k = 0; k < all; k++) {
            scores[k] += down[k] / in + up[k] / out;
        }
        return scores;
    }

    /** The sums of s over the columns of a tensor [rows,ranks], or of one behind the other for each expert, in the order of the rows. */
    private double[] sums(int layer, String tensor, int all, int ranks) {
        float[] importance = seen(IMPORTANCE, layer, tensor);
        float[] uncertainty = seen(UNCERTAINTY, layer, tensor);
        double[] sums = new double[all];
        int each = importance.length / (all / ranks); // of an expert
        for (int p = 0; p < importance.length; p++) {
            sums[p / each * ranks + p % ranks] += importance[p] * uncertainty[p];
        }
        return sums;
    }

    /** The sums of s over the rows of a tensor [ranks,out]. */
    private double[] rowSums(int layer, String tensor, int out) {
        float[] importance = seen(IMPORTANCE, layer, tensor);
        float[] uncertainty = seen(UNCERTAINTY, layer, tensor);
        double[] sums = new double[importance.length / out];
        for (int k = 0; k < sums.length; k++) {
            double sum = 0;
            for (int p = k * out; p < (k + 1) * out; p++) {
                sum += importance[p] * uncertainty[p];
            }
            sums[k] = sum;
        }
        return sums;
    }

    private float[] seen(String what, int layer, String tensor) {
        float[] numbers = memory.get(what + layer + "/" + tensor);
        if (numbers == null) {
            throw new IllegalStateException("nothing is remembered of " + tensor + " of layer " + layer);
        }
        return numbers;
    }

    @Override
    public Map<String, INDArray> state() {
        Map<String, INDArray> state = new LinkedHashMap<>();
        memory.forEach((name, numbers) -> state.put(name, Nd4j.createFromArray(numbers)));
        return state;
    }

    @Override
    public void restore(Map<String, INDArray> state) {
        memory.clear();
        state.forEach((name, array) -> memory.put(name, HostFloats.of(array)));
    }
}
