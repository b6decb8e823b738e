package dev.samediff.samples.djl;

import ai.djl.BaseModel;
import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import ai.djl.util.passthrough.PassthroughNDManager;
import ai.djl.util.passthrough.PassthroughTranslator;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.predict.Predictor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A predictor of this project ({@code TextClassifier}, {@code TextEmbedder}, ...) where DJL expects one of its own. Thread-safe, unlike DJL's;
 * closing it closes nothing, the pool is closed by who opened it.
 *
 * @param <I> what is asked
 * @param <O> what is answered
 */
public final class DjlPredictor<I, O> extends ai.djl.inference.Predictor<I, O> {
    private final Predictor<I, O> answers;

    /**
     * Makes one.
     *
     * @param name what DJL calls the model
     * @param answers who answers
     */
    public DjlPredictor(String name, Predictor<I, O> answers) {
        super(new Named(name), new PassthroughTranslator<>(), PassthroughNDManager.INSTANCE.getDevice(), false);
        this.answers = answers;
    }

    /** The model without arrays that DJL wants behind a predictor. */
    private static final class Named extends BaseModel {
        Named(String name) {
            super(name);
            this.manager = PassthroughNDManager.INSTANCE;
        }

        @Override
        public NDManager getNDManager() {
            return PassthroughNDManager.INSTANCE;
        }

        @Override
        public void load(Path folder, String prefix, Map<String, ?> options) {
            throw new UnsupportedOperationException("the model is loaded already; open another pool for another one");
        }
    }

    @Override
    public O predict(I input) throws TranslateException {
        return batchPredict(List.of(input)).get(0);
    }

    @Override
    public List<O> batchPredict(List<I> inputs) throws TranslateException {
        try {
            return answers.predict(inputs);
        } catch (InvalidInputException refused) {
            throw new TranslateException(refused.getMessage(), refused);
        }
    }
}
