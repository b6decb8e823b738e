package dev.samediff.adapters.train.metric;

import java.util.List;
import java.util.function.Supplier;

/**
 * The metrics that tasks usually need. Numbers are those of scikit-learn and seqeval; items of weight 0 do not count, other weights
 * count as 1.
 */
public final class Metrics {
    private Metrics() {}

    /** A metric of one variable. */
    private record Named(String name, boolean isHigherBetter, List<String> outputs, Supplier<Metric.Accumulator> pass)
            implements Metric {
        @Override
        public Accumulator start() {
            return pass.get();
        }
    }

    private static Metric of(String name, boolean higher, String output, Supplier<Metric.Accumulator> pass) {
        return new Named(name, higher, List.of(output), pass);
    }

    /**
     * Returns the share of items whose highest score is that of their class.
     *
     * @param scores scores [..., classes] of labels that are numbers of classes
     */
    public static Metric accuracy(String scores) {
        return of("accuracy", true, scores, () -> new ClassCounts(ClassCounts.Kind.ACCURACY));
    }

    /**
     * Returns the mean over classes of F1 (scikit-learn's {@code f1_score(average="macro")}); a class that neither occurs nor is
     * predicted is left out.
     *
     * @param scores scores [..., classes]
     */
    public static Metric macroF1(String scores) {
        return of("f1_macro", true, scores, () -> new ClassCounts(ClassCounts.Kind.MACRO_F1));
    }

    /**
     * Returns F1 of the counts of all classes together, which is the accuracy where every item has one class.
     *
     * @param scores scores [..., classes]
     */
    public static Metric microF1(String scores) {
        return of("f1_micro", true, scores, () -> new ClassCounts(ClassCounts.Kind.MICRO_F1));
    }

    /**
     * Returns the area under the ROC curve: of the second class if there are two, else the mean over classes of one against the
     * rest, exact: what DL4J's {@code ROC} and {@code ROCMultiClass} without steps give where no scores are equal.
     *
     * @param scores scores [..., classes]
     */
    public static Metric auc(String scores) {
        return of("auc", true, scores, RocArea::new);
    }

    /**
     * Returns the share of texts of which every label is met: of all tokens that count.
     *
     * @param scores scores [texts, tokens, classes]
     */
    public static Metric exactMatch(String scores) {
        return of("exact_match", true, scores, ExactMatch::new);
    }

    /**
     * Returns F1 of entities in IOB2, as seqeval counts them: an entity is met if its type and both its ends are.
     *
     * @param scores scores [texts, tokens, tags] of tokens, of which the first piece of each word counts
     * @param tags names of the tags, such as {@code O}, {@code B-PER}, {@code I-PER}
     * @throws dev.samediff.adapters.InvalidInputException if a tag is of another form
     */
    public static Metric entityF1(String scores, List<String> tags) {
        List<Entities.Tag> parsed = tags.stream().map(Entities.Tag::of).toList();
        return of("entity_f1", true, scores, () -> new Entities(parsed));
    }

    /**
     * Returns the share of pairs of answers of which the chosen one is preferred (TRL's {@code rewards/accuracies}): its score, less the
     * reference's if the batches have one, is the higher one. Before DPO both are the reference's, and nothing is preferred: 0.
     *
     * @param scores scores [2B] of B chosen answers, then B rejected ones: {@code Losses.preferenceScores}
     */
    public static Metric preferenceAccuracy(String scores) {
        return of("preference_accuracy", true, scores, PreferredPairs::new);
    }

    /** Returns exp of the task loss, for language models. */
    public static Metric perplexity() {
        return new Named("perplexity", false, List.of(), () -> new Metric.Accumulator() {
            @Override
            public void add(Metric.Batch batch) {}

            @Override
            public double value(double loss) {
                return Math.exp(loss);
            }
        });
    }

    /**
     * Returns the mean of squared errors (DL4J's {@code RegressionEvaluation}).
     *
     * @param predictions numbers of the labels' shape
     */
    public static Metric meanSquaredError(String predictions) {
        return of("mse", false, predictions, () -> new Numbers(Numbers.Kind.MEAN_SQUARED_ERROR, false));
    }

    /**
     * Returns Pearson's correlation of predictions and labels (DL4J's {@code RegressionEvaluation}).
     *
     * @param predictions numbers of the labels' shape
     */
    public static Metric pearson(String predictions) {
        return of("pearson", true, predictions, () -> new Numbers(Numbers.Kind.PEARSON, false));
    }

    /**
     * Returns Spearman's rank correlation of predictions and labels; equal numbers have the mean of their ranks.
     *
     * @param predictions numbers of the labels' shape
     */
    public static Metric spearman(String predictions) {
        return of("spearman", true, predictions, () -> new Numbers(Numbers.Kind.SPEARMAN, false));
    }

    /**
     * Returns Spearman's rank correlation of the cosines of pairs of texts with their labels, which sentence embeddings are judged
     * by.
     *
     * @param embeddings embeddings [2B,D]: B first texts, then B second ones
     */
    public static Metric cosineSpearman(String embeddings) {
        return of("cosine_spearman", true, embeddings, () -> new Numbers(Numbers.Kind.SPEARMAN, true));
    }
}
