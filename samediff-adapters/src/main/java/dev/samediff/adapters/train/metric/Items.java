package dev.samediff.adapters.train.metric;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The items of a batch that count.
 *
 * @param scores their scores [n, classes]
 * @param labels their classes
 * @param rows the text that each belongs to
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Items(double[][] scores, int[] labels, int[] rows) {
    static Items of(Metric.Batch batch, String metric) {
        INDArray scores = batch.outputs().get(0);
        INDArray labels = target(batch, metric);
        int classes = Math.toIntExact(scores.size(-1));
        long items = scores.length() / classes;
        if (scores.rank() < 2 || labels.length() != items || batch.weights().length() != items) {
            throw new InvalidInputException(
                    "the metric " + metric + " takes scores [..., classes] and a label for each, these" + " are "
                            + Arrays.toString(scores.shape()) + " and " + Arrays.toString(labels.shape()));
        }
        double[] all =
                scores.castTo(DataType.DOUBLE).dup('c').reshape(scores.length()).toDoubleVector();
        long[] classOf = labels.castTo(DataType.LONG).dup('c').reshape(items).toLongVector();
        double[] weights =
                batch.weights().castTo(DataType.DOUBLE).dup('c').reshape(items).toDoubleVector();
        long perRow = labels.rank() > 1 ? items / labels.size(0) : 1;
        List<Integer> counted = new ArrayList<>();
        for (int i = 0; i < items; i++) {
            if (weights[i] != 0) {
                counted.add(i);
            }
        }
        double[][] kept = new double[counted.size()][];
        int[] wanted = new int[counted.size()];
        int[] rows = new int[counted.size()];
        for (int i = 0; i < kept.length; i++) {
            int first = counted.get(i) * classes;
            kept[i] = Arrays.copyOfRange(all, first, first + classes);
            wanted[i] = Math.toIntExact(classOf[counted.get(i)]);
            rows[i] = (int) (counted.get(i) / perRow);
        }
        return new Items(kept, wanted, rows);
    }

    static INDArray target(Metric.Batch batch, String metric) {
        if (batch.targets().isEmpty()) {
            throw new InvalidInputException("the metric " + metric + " compares with labels, and the loss has none");
        }
        return batch.targets().get(0);
    }

    int size() {
        return labels.length;
    }

    /** The class with the highest score, the first of several. */
    int predicted(int item) {
        int best = 0;
        for (int c = 1; c < scores[item].length; c++) {
            if (scores[item][c] > scores[item][best]) {
                best = c;
            }
        }
        return best;
    }

    /** The labels as DL4J's evaluations take them, [n, classes]. */
    INDArray oneHot() {
        INDArray oneHot = Nd4j.zeros(DataType.DOUBLE, size(), scores[0].length);
        for (int i = 0; i < size(); i++) {
            oneHot.putScalar(i, labels[i], 1);
        }
        return oneHot;
    }

    /** Softmax of the scores, [n, classes]. */
    INDArray probabilities() {
        INDArray given = Nd4j.createFromArray(scores);
        return Transforms.softmax(given, true);
    }
}
