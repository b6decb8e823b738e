package dev.samediff.adapters.testing;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** PyTorch's AdamW in float64, written down once more so that golden trajectories do not depend on the trainer. */
public final class AdamW {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final double rate;
    private final double decay;
    private final Map<String, INDArray> first = new HashMap<>();
    private final Map<String, INDArray> second = new HashMap<>();
    private int step;

    public AdamW(double rate, double decay) {
        this.rate = rate;
        this.decay = decay;
    }

    /** Changes every parameter in place. */
    public void step(Map<String, INDArray> parameters, Map<String, INDArray> gradients) {
        step++;
        parameters.forEach((name, parameter) -> {
            INDArray g = Objects.requireNonNull(gradients.get(name)).castTo(DataType.DOUBLE);
            INDArray m = first.getOrDefault(name, g.mul(0)).mul(BETA1).add(g.mul(1 - BETA1));
            INDArray v =
                    second.getOrDefault(name, g.mul(0)).mul(BETA2).add(g.mul(g).mul(1 - BETA2));
            first.put(name, m);
            second.put(name, v);
            INDArray root = Transforms.sqrt(v).div(Math.sqrt(1 - Math.pow(BETA2, step)));
            INDArray change = m.div(root.add(EPSILON)).mul(rate / (1 - Math.pow(BETA1, step)));
            INDArray value =
                    parameter.castTo(DataType.DOUBLE).mul(1 - rate * decay).sub(change);
            parameter.assign(value.castTo(parameter.dataType()));
        });
    }
}
