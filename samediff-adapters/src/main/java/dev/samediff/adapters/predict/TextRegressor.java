package dev.samediff.adapters.predict;

import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.List;

/** Gives numbers for a text, such as a grade: the model's output as it is, one row for each text. */
public final class TextRegressor implements Predictor<String, double[]> {
    private final TextInputs inputs;

    private TextRegressor(TextInputs inputs) {
        this.inputs = inputs;
    }

    /**
     * Makes one.
     *
     * @param pool the model
     * @param tokenizer the tokenizer that the model was trained with
     * @param plan lengths and batches
     * @param output name of the predictions [texts, numbers]
     * @throws dev.samediff.adapters.InvalidInputException if the model has no such output
     */
    public static TextRegressor of(ModelPool pool, Tokenizer tokenizer, PredictionPlan plan, String output) {
        return new TextRegressor(TextInputs.of(pool, tokenizer, plan, output));
    }

    @Override
    public TextRegressor withAdapter(String name) {
        return new TextRegressor(inputs.withAdapter(name));
    }

    @Override
    public List<double[]> predict(List<? extends String> texts) {
        return inputs.compute(texts, (row, length) -> Scores.of(row, inputs.output()));
    }
}
