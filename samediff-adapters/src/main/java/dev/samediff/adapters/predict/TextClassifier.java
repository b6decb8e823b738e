package dev.samediff.adapters.predict;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Says of what class a text is.
 *
 * <pre>{@code
 * Predictor<String, Classification> intents = TextClassifier.of(pool, tokenizer, PredictionPlan.upTo(128), "logits", labels)
 *         .withAdapter("banking");
 * String intent = intents.predict("I lost my card").label();
 * }</pre>
 */
public final class TextClassifier implements Predictor<String, Classification> {
    private final TextInputs inputs;
    private final List<String> labels;
    private final boolean several;

    private TextClassifier(TextInputs inputs, List<String> labels, boolean several) {
        this.inputs = inputs;
        this.labels = labels;
        this.several = several;
    }

    /**
     * Makes one for classes that exclude each other.
     *
     * @param pool the model
     * @param tokenizer the tokenizer that the model was trained with
     * @param plan lengths and batches
     * @param logits name of the scores [texts, classes]
     * @param labels names of the classes, in the order of the scores
     * @throws InvalidInputException if the model has no such output
     */
    public static TextClassifier of(
            ModelPool pool, Tokenizer tokenizer, PredictionPlan plan, String logits, List<String> labels) {
        return new TextClassifier(TextInputs.of(pool, tokenizer, plan, logits), List.copyOf(labels), false);
    }

    /** Returns this for texts that may be of several classes, each of a probability of its own ({@code Losses.multiLabel}). */
    public TextClassifier withSeveralLabels() {
        return new TextClassifier(inputs, labels, true);
    }

    @Override
    public TextClassifier withAdapter(String name) {
        return new TextClassifier(inputs.withAdapter(name), labels, several);
    }

    @Override
    public List<Classification> predict(List<? extends String> texts) {
        return inputs.compute(texts, (row, length) -> classification(row));
    }

    private Classification classification(INDArray row) {
        double[] scores = Scores.of(row, inputs.output());
        if (scores.length != labels.size()) {
            throw new InvalidInputException("the output `" + inputs.output() + "` has scores of " + scores.length
                    + " classes, but there are names for " + labels.size());
        }
        return new Classification(labels, several ? Scores.sigmoid(scores) : Scores.softmax(scores));
    }
}
