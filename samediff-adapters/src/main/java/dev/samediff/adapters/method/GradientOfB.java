package dev.samediff.adapters.method;

import dev.samediff.adapters.AfterStep;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * LoRA-FA's correction of B's gradient, as PEFT's optimizer of that name makes it: {@code gB <- (A^T A + 1e-8 I)^-1 gB / s^2}, so that the change
 * of {@code s A B} is the one nearest to the gradient of the whole weight. A stays as it is: the inverse is computed once, in float64, from A's
 * singular values.
 */
final class GradientOfB implements AfterStep {
    private static final double DELTA = 1e-8;
    private static final Decompositions LINALG = new LapackDecompositions();

    private final Map<Integer, INDArray> inverses = new HashMap<>();

    @Override
    public boolean corrects() {
        return true;
    }

    @Override
    public void correct(List<Layer> layers) {
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            INDArray gradient = LowRank.get(layer.gradients(), LowRank.B);
            INDArray inverse = inverses.computeIfAbsent(
                    i,
                    key -> inverse(LowRank.get(layer.values(), LowRank.A), layer.scaling())
                            .castTo(gradient.dataType()));
            if (gradient.rank() == 3) { // experts
                for (long expert = 0; expert < gradient.size(0); expert++) {
                    correct(gradient.slice(expert), inverse.slice(expert));
                }
            } else {
                correct(gradient, inverse);
            }
        }
    }

    private static void correct(INDArray gradient, INDArray inverse) {
        try (INDArray corrected = LowRank.product(inverse, gradient)) {
            gradient.assign(corrected);
        }
    }

    /** (A^T A + 1e-8 I)^-1 / s^2 [r,r]; of experts [experts,r,r]. */
    private static INDArray inverse(INDArray a, double scaling) {
        if (a.rank() == 3) {
            INDArray[] each = new INDArray[Math.toIntExact(a.size(0))];
            for (int expert = 0; expert < each.length; expert++) {
                each[expert] = inverse(a.slice(expert), scaling);
            }
            return Nd4j.stack(0, each);
        }
        Decompositions.Svd svd = LINALG.svd(a.castTo(DataType.DOUBLE));
        INDArray squares = svd.s().mul(svd.s()).add(DELTA).mul(scaling * scaling);
        return svd.vt().transpose().mmul(svd.vt().divColumnVector(squares));
    }

    @Override
    public void begin(int updates) {}

    @Override
    public void updated(int update, List<Layer> layers) {}

    @Override
    public Map<String, INDArray> state() {
        return Map.of();
    }

    @Override
    public void restore(Map<String, INDArray> state) {}
}
