package dev.samediff.adapters.method;

import dev.samediff.adapters.AfterStep;
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
                float[] values = numbers(tensor.getValue());
                float[] gradients = numbers(LowRank.get(layer.gradients(), tensor.getKey()));
                float[] importance = memory.computeIfAbsent(IMPORTANCE + key, name -> new float[values.length]);
                float[] uncertainty = memory.computeIfAbsent(UNCERTAINTY + key, name -> new float[values.length]);
                float beta1 = (float) budget.beta1();
                float beta2 = (float) budget.beta2();
                for (int p = 0; p < values.length; p++) {
                    float now = Math.abs(values[p] * gradients[p]);
                    importance[p] = beta1 * importance[p] + (1 - beta1) * now;
                    uncertainty[p] = beta2 * uncertainty[p] + (1 - beta2) * Math.abs(now - importance[p]);
                }
            }
        }
    }

    private static float[] numbers(INDArray array) {
        return array.dup('c').data().asFloat();
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
        double[] scores = single(layer, AdaLora.E);
        double[] down = single(layer, AdaLora.A);
        double[] up = single(layer, AdaLora.B);
        if (scores.length == 0) { // nothing was seen yet: all are alike
            return new double[Math.toIntExact(LowRank.get(values, AdaLora.E).length())];
        }
        int ranks = Math.toIntExact(LowRank.get(values, AdaLora.E).size(-1));
        int experts = scores.length / ranks;
        int in = down.length / scores.length;
        int out = up.length / scores.length;
        for (int expert = 0; expert < experts; expert++) {
            for (int k = 0; k < ranks; k++) {
                double sumDown = 0;
                for (int i = 0; i < in; i++) {
                    sumDown += down[(expert * in + i) * ranks + k];
                }
                double sumUp = 0;
                for (int j = 0; j < out; j++) {
                    sumUp += up[(expert * ranks + k) * out + j];
                }
                scores[expert * ranks + k] += sumDown / in + sumUp / out;
            }
        }
        return scores;
    }

    /** s of every number of a tensor. */
    private double[] single(int layer, String tensor) {
        float[] importance = memory.getOrDefault(IMPORTANCE + layer + "/" + tensor, new float[0]);
        float[] uncertainty = memory.getOrDefault(UNCERTAINTY + layer + "/" + tensor, new float[0]);
        double[] scores = new double[importance.length];
        for (int p = 0; p < scores.length; p++) {
            scores[p] = importance[p] * uncertainty[p];
        }
        return scores;
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
        state.forEach((name, array) -> memory.put(name, numbers(array)));
    }
}
