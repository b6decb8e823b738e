package dev.samediff.adapters.train.metric;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The share of pairs of answers of which the chosen one has the higher score. */
final class PreferredPairs implements Metric.Accumulator {
    private long pairs;
    private long preferred;

    @Override
    public void add(Metric.Batch batch) {
        double[] scores = vector(batch.outputs().get(0));
        double[] weights = vector(batch.weights());
        if (scores.length != 2 * weights.length) {
            throw new InvalidInputException(
                    "the metric preference_accuracy takes a score for each of two answers, these are "
                            + Arrays.toString(batch.outputs().get(0).shape()) + " for " + weights.length + " pairs");
        }
        if (batch.targets().size() > 1) {
            double[] reference = vector(batch.targets().get(1));
            Arrays.setAll(scores, i -> scores[i] - reference[i]);
        }
        for (int pair = 0; pair < weights.length; pair++) {
            if (weights[pair] != 0) {
                pairs++;
                preferred += scores[pair] > scores[weights.length + pair] ? 1 : 0;
            }
        }
    }

    private static double[] vector(INDArray array) {
        return array.castTo(DataType.DOUBLE).dup('c').reshape(array.length()).toDoubleVector();
    }

    @Override
    public double value(double loss) {
        return pairs == 0 ? Double.NaN : (double) preferred / pairs;
    }
}
