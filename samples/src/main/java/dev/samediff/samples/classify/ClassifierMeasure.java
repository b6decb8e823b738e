package dev.samediff.samples.classify;

import java.util.List;
import org.nd4j.evaluation.classification.Evaluation;

/**
 * How right a classifier is on some texts, by DL4J's {@link Evaluation}.
 *
 * @param texts how many there were
 * @param accuracy share of right answers
 * @param macroF1 mean over the classes that occur, in texts or answers, of their F1
 */
public record ClassifierMeasure(int texts, double accuracy, double macroF1) {
    /**
     * Compares.
     *
     * @param right the right classes
     * @param given the answers
     * @param labels names of the classes
     */
    public static ClassifierMeasure of(int[] right, int[] given, List<String> labels) {
        Evaluation evaluation = evaluation(right, given, labels);
        return new ClassifierMeasure(right.length, evaluation.accuracy(), macroF1(right, given, labels.size()));
    }

    /** Returns DL4J's evaluation, for its confusion matrix and its other figures. */
    public static Evaluation evaluation(int[] right, int[] given, List<String> labels) {
        Evaluation evaluation = new Evaluation(labels);
        for (int i = 0; i < right.length; i++) {
            evaluation.eval(given[i], right[i]);
        }
        return evaluation;
    }

    /** As scikit-learn's f1_score(average="macro"): DL4J leaves classes out of the mean that were never answered. */
    private static double macroF1(int[] right, int[] given, int classes) {
        double sum = 0;
        int occurring = 0;
        for (int label = 0; label < classes; label++) {
            int both = 0;
            int either = 0;
            for (int i = 0; i < right.length; i++) {
                both += right[i] == label && given[i] == label ? 1 : 0;
                either += (right[i] == label ? 1 : 0) + (given[i] == label ? 1 : 0);
            }
            if (either > 0) {
                occurring++;
                sum += 2.0 * both / either;
            }
        }
        return occurring == 0 ? 0 : sum / occurring;
    }
}
