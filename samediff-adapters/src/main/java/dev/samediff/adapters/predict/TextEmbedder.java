package dev.samediff.adapters.predict;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Gives a vector for a text, of length 1, so that the scalar product of two is the cosine of their angle; as
 * sentence-transformers does with a pooling and a normalising module.
 */
public final class TextEmbedder implements Predictor<String, float[]> {
    private final TextInputs inputs;
    private final Pooling pooling;
    private final boolean normalized;

    private TextEmbedder(TextInputs inputs, Pooling pooling, boolean normalized) {
        this.inputs = inputs;
        this.pooling = pooling;
        this.normalized = normalized;
    }

    /**
     * Makes one that takes the mean over the tokens of a text.
     *
     * @param pool the model
     * @param tokenizer the tokenizer that the model was trained with
     * @param plan lengths and batches
     * @param features name of the features [texts, tokens, width], or [texts, width] if the model pools itself
     * @throws InvalidInputException if the model has no such output
     */
    public static TextEmbedder of(ModelPool pool, Tokenizer tokenizer, PredictionPlan plan, String features) {
        return new TextEmbedder(TextInputs.of(pool, tokenizer, plan, features), Pooling.MEAN, true);
    }

    /** Returns this with another pooling of features [texts, tokens, width]: the mean, the first or the last token's. */
    public TextEmbedder withPooling(Pooling newPooling) {
        if (newPooling == Pooling.EACH || newPooling == Pooling.GIVEN) {
            throw new InvalidInputException(
                    "the pooling " + newPooling + " gives no vector for a text; take MEAN, FIRST or LAST");
        }
        return new TextEmbedder(inputs, newPooling, normalized);
    }

    /** Returns this with vectors as the model gives them. */
    public TextEmbedder withoutNormalization() {
        return new TextEmbedder(inputs, pooling, false);
    }

    @Override
    public TextEmbedder withAdapter(String name) {
        return new TextEmbedder(inputs.withAdapter(name), pooling, normalized);
    }

    @Override
    public List<float[]> predict(List<? extends String> texts) {
        return inputs.compute(texts, this::vector);
    }

    private float[] vector(INDArray row, int length) {
        double[] vector = row.rank() == 2 ? pooled(row, length) : Scores.of(row, inputs.output());
        double norm = 0;
        for (double each : vector) {
            norm += each * each;
        }
        double factor = normalized && norm > 0 ? 1 / Math.sqrt(norm) : 1;
        float[] result = new float[vector.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (float) (vector[i] * factor);
        }
        return result;
    }

    /** Pools the features of one text [tokens, width], of which the first so many are no padding. */
    private double[] pooled(INDArray features, int length) {
        double[][] tokens = features.castTo(DataType.DOUBLE).toDoubleMatrix();
        return switch (pooling) {
            case FIRST -> tokens[0];
            case LAST -> tokens[length - 1];
            default -> {
                double[] mean = new double[tokens[0].length];
                for (int token = 0; token < length; token++) {
                    for (int i = 0; i < mean.length; i++) {
                        mean[i] += tokens[token][i] / length;
                    }
                }
                yield mean;
            }
        };
    }
}
