package dev.samediff.dl4j.contract;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.nd4j.common.util.ArrayUtil;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * How far the gradient that a step of SGD with rate 1 follows is from central differences of the score, in float64.
 *
 * @param relative the largest distance in a random direction, relative to the norm of the tensor's gradient
 * @param tensor where it is
 * @param factor gradient divided by difference in that direction
 * @param norm the norm of the whole gradient
 * @param smallest the smallest norm of a tensor's gradient
 * @param moved the largest distance that any other parameter moved
 */
record Deviation(double relative, String tensor, double factor, double norm, double smallest, double moved) {
    private static final int DIRECTIONS = 2;
    private static final double STEP = 1e-5;

    /**
     * Measures.
     *
     * @param trial a network with the updater {@code Sgd(1)}; it is left one step on
     * @param trained the parameters to look at
     * @param ignored parameters that may move as they like
     */
    static Deviation of(Trial trial, Collection<String> trained, Collection<String> ignored) {
        Random random = new Random(23);
        Map<String, INDArray> directions = new LinkedHashMap<>();
        Map<String, double[]> differences = new LinkedHashMap<>();
        for (String name : trained) {
            INDArray parameter = trial.network().paramTable().get(name);
            for (int i = 0; i < DIRECTIONS; i++) {
                INDArray direction = direction(random, parameter.shape());
                directions.put(name + "/" + i, direction);
                differences.computeIfAbsent(name, key -> new double[DIRECTIONS])[i] =
                        difference(trial, parameter, direction);
            }
        }
        Map<String, INDArray> before = trial.copies();
        trial.fit();
        Map<String, INDArray> gradients = new LinkedHashMap<>();
        double squares = 0;
        double moved = 0;
        for (Map.Entry<String, INDArray> entry : before.entrySet()) {
            INDArray gradient =
                    entry.getValue().sub(trial.network().paramTable().get(entry.getKey()));
            if (trained.contains(entry.getKey())) {
                gradients.put(entry.getKey(), gradient);
                squares += gradient.mul(gradient).sumNumber().doubleValue();
            } else if (!ignored.contains(entry.getKey())) {
                moved = Math.max(moved, gradient.amaxNumber().doubleValue());
            }
        }
        double norm = Math.sqrt(squares);
        double worst = 0;
        double factor = 1;
        double smallest = Double.MAX_VALUE;
        String where = "";
        for (String name : trained) {
            INDArray gradient = gradients.get(name);
            double own = gradient.norm2Number().doubleValue();
            smallest = Math.min(smallest, own);
            for (int i = 0; i < DIRECTIONS; i++) {
                double along =
                        gradient.mul(directions.get(name + "/" + i)).sumNumber().doubleValue();
                double expected = differences.get(name)[i];
                double distance = Math.abs(along - expected) / Math.max(own, 1e-3 * norm);
                if (!(distance <= worst)) {
                    worst = distance;
                    where = name;
                    factor = along / expected;
                }
            }
        }
        return new Deviation(worst, where, factor, norm, smallest, moved);
    }

    private static double difference(Trial trial, INDArray parameter, INDArray direction) {
        INDArray start = parameter.dup('c');
        parameter.assign(start.add(direction.mul(STEP)));
        double above = trial.score(true);
        parameter.assign(start.sub(direction.mul(STEP)));
        double below = trial.score(true);
        parameter.assign(start);
        return (above - below) / (2 * STEP);
    }

    private static INDArray direction(Random random, long[] shape) {
        double[] values = new double[(int) ArrayUtil.prodLong(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextGaussian();
        }
        return Nd4j.createFromArray(values).castTo(DataType.DOUBLE).reshape(shape);
    }
}
