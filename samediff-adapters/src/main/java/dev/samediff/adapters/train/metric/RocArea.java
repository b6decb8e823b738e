package dev.samediff.adapters.train.metric;

import org.jspecify.annotations.Nullable;
import org.nd4j.evaluation.classification.ROCMultiClass;

/** The area under the ROC curve, exact. */
final class RocArea implements Metric.Accumulator {
    private @Nullable ROCMultiClass roc;
    private int classes;

    @Override
    public void add(Metric.Batch batch) {
        Items items = Items.of(batch, "auc");
        if (items.size() == 0) {
            return;
        }
        ROCMultiClass current = roc;
        if (current == null) {
            current = new ROCMultiClass(0);
            classes = items.scores()[0].length;
            roc = current;
        }
        current.eval(items.oneHot(), items.probabilities());
    }

    @Override
    public double value(double loss) {
        ROCMultiClass current = roc;
        if (current == null) {
            return Double.NaN;
        }
        if (classes == 2) {
            return defined(current, 1) ? current.calculateAUC(1) : Double.NaN;
        }
        double sum = 0;
        for (int c = 0; c < classes; c++) {
            if (!defined(current, c)) {
                return Double.NaN;
            }
            sum += current.calculateAUC(c);
        }
        return sum / classes;
    }

    /** There must be items of the class, and others. */
    private static boolean defined(ROCMultiClass roc, int c) {
        return roc.getCountActualPositive(c) > 0 && roc.getCountActualNegative(c) > 0;
    }
}
