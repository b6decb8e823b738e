package dev.samediff.adapters.train.metric;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.evaluation.regression.RegressionEvaluation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** How near numbers are to labels, by DL4J's {@code RegressionEvaluation}. */
final class Numbers implements Metric.Accumulator {
    /** Which number. */
    enum Kind {
        MEAN_SQUARED_ERROR,
        PEARSON,
        SPEARMAN
    }

    private final Kind kind;
    private final boolean pairs;
    private final List<Double> predictions = new ArrayList<>();
    private final List<Double> labels = new ArrayList<>();

    /**
     * @param pairs whether predictions are the cosines of pairs of rows
     */
    Numbers(Kind kind, boolean pairs) {
        this.kind = kind;
        this.pairs = pairs;
    }

    @Override
    public void add(Metric.Batch batch) {
        INDArray given = batch.outputs().get(0);
        INDArray target = Items.target(batch, kind.name());
        double[] predicted = pairs
                ? cosines(given)
                : given.castTo(DataType.DOUBLE).dup('c').data().asDouble();
        if (target.length() != predicted.length || batch.weights().length() != predicted.length) {
            throw new InvalidInputException("the metric " + kind + " takes a number for each label, these are "
                    + Arrays.toString(given.shape()) + " and " + Arrays.toString(target.shape()));
        }
        double[] wanted = target.castTo(DataType.DOUBLE).dup('c').data().asDouble();
        double[] weights =
                batch.weights().castTo(DataType.DOUBLE).dup('c').data().asDouble();
        for (int i = 0; i < predicted.length; i++) {
            if (weights[i] != 0) {
                predictions.add(predicted[i] + 0.0); // -0 and 0 are one number, also for ranks
                labels.add(wanted[i] + 0.0);
            }
        }
    }

    private static double[] cosines(INDArray embeddings) {
        double[][] rows = embeddings.castTo(DataType.DOUBLE).toDoubleMatrix();
        double[] cosines = new double[rows.length / 2];
        for (int i = 0; i < cosines.length; i++) {
            double product = 0;
            double first = 0;
            double second = 0;
            for (int k = 0; k < rows[i].length; k++) {
                double a = rows[i][k];
                double b = rows[i + cosines.length][k];
                product += a * b;
                first += a * a;
                second += b * b;
            }
            cosines[i] = product / Math.max(1e-30, Math.sqrt(first * second));
        }
        return cosines;
    }

    @Override
    public double value(double loss) {
        if (predictions.isEmpty()
                || (kind != Kind.MEAN_SQUARED_ERROR && (isConstant(predictions) || isConstant(labels)))) {
            return Double.NaN;
        }
        RegressionEvaluation evaluation = new RegressionEvaluation(1);
        boolean ranks = kind == Kind.SPEARMAN;
        evaluation.eval(column(ranks ? ranks(labels) : labels), column(ranks ? ranks(predictions) : predictions));
        return kind == Kind.MEAN_SQUARED_ERROR ? evaluation.meanSquaredError(0) : evaluation.pearsonCorrelation(0);
    }

    private static boolean isConstant(List<Double> numbers) {
        return numbers.stream().distinct().count() == 1;
    }

    private static INDArray column(List<Double> numbers) {
        double[] values = numbers.stream().mapToDouble(Double::doubleValue).toArray();
        return Nd4j.createFromArray(values).reshape(values.length, 1);
    }

    /** Ranks from 1; equal numbers have the mean of theirs. */
    private static List<Double> ranks(List<Double> numbers) {
        List<Integer> order = IntStream.range(0, numbers.size())
                .boxed()
                .sorted(Comparator.comparing(numbers::get))
                .toList();
        Double[] ranks = new Double[numbers.size()];
        for (int start = 0; start < ranks.length; ) {
            int end = start;
            while (end < ranks.length && numbers.get(order.get(end)).equals(numbers.get(order.get(start)))) {
                end++;
            }
            for (int i = start; i < end; i++) {
                ranks[order.get(i)] = (start + end + 1) / 2.0;
            }
            start = end;
        }
        return List.of(ranks);
    }
}
