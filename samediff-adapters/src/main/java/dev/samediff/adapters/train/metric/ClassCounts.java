package dev.samediff.adapters.train.metric;

import org.jspecify.annotations.Nullable;
import org.nd4j.evaluation.classification.Evaluation;

/** What can be said of counts of right and wrong classes, which DL4J's {@code Evaluation} counts. */
final class ClassCounts implements Metric.Accumulator {
    /** Which number. */
    enum Kind {
        ACCURACY,
        MACRO_F1,
        MICRO_F1
    }

    private final Kind kind;
    private @Nullable Evaluation counts;
    private int classes;

    ClassCounts(Kind kind) {
        this.kind = kind;
    }

    @Override
    public void add(Metric.Batch batch) {
        Items items = Items.of(batch, kind.name());
        if (items.size() == 0) {
            return;
        }
        Evaluation current = counts;
        if (current == null) {
            classes = items.scores()[0].length;
            current = new Evaluation(classes);
            counts = current;
        }
        current.eval(items.oneHot(), items.probabilities());
    }

    @Override
    public double value(double loss) {
        Evaluation current = counts;
        if (current == null) {
            return Double.NaN;
        }
        return switch (kind) {
            case ACCURACY, MICRO_F1 -> current.accuracy(); // every item has one class, so that the two are one
            case MACRO_F1 -> macro(current, classes);
        };
    }

    /** DL4J leaves classes out that are never met and never predicted right, which scikit-learn counts as 0. */
    private static double macro(Evaluation counts, int classes) {
        double sum = 0;
        int seen = 0;
        for (int c = 0; c < classes; c++) {
            double met = counts.truePositives().getOrDefault(c, 0);
            double wrong = counts.falsePositives().getOrDefault(c, 0)
                    + counts.falseNegatives().getOrDefault(c, 0);
            if (met + wrong > 0) {
                sum += 2 * met / (2 * met + wrong);
                seen++;
            }
        }
        return seen == 0 ? Double.NaN : sum / seen;
    }
}
