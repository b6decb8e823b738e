package dev.samediff.adapters.predict;

import dev.samediff.adapters.InvalidInputException;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A model's scores as Java numbers. */
final class Scores {
    private Scores() {}

    /**
     * Returns a vector's numbers.
     *
     * @throws InvalidInputException if it is no vector
     * @throws IllegalStateException if one is not finite: a model that was damaged in training
     */
    static double[] of(INDArray row, String output) {
        if (row.rank() > 1) {
            throw new InvalidInputException("the output `" + output + "` has " + (row.rank() + 1)
                    + " axes; expected [texts, scores]: a vector for each text");
        }
        double[] scores =
                row.castTo(DataType.DOUBLE).dup('c').reshape(row.length()).toDoubleVector();
        for (double score : scores) {
            if (!Double.isFinite(score)) {
                throw new IllegalStateException("the output `" + output + "` has the score " + score
                        + "; the model or the adapter is damaged, look at its training");
            }
        }
        return scores;
    }

    /** Makes scores of classes that exclude each other their probabilities, in place. */
    static double[] softmax(double... scores) {
        double largest = Double.NEGATIVE_INFINITY;
        for (double score : scores) {
            largest = Math.max(largest, score);
        }
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            scores[i] = Math.exp(scores[i] - largest);
            sum += scores[i];
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] /= sum;
        }
        return scores;
    }

    /** Makes scores of classes that do not exclude each other their probabilities, in place. */
    static double[] sigmoid(double... scores) {
        for (int i = 0; i < scores.length; i++) {
            scores[i] = 1 / (1 + Math.exp(-scores[i]));
        }
        return scores;
    }
}
