package dev.samediff.adapters.predict;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.text.batch.SequenceToSequenceIterator;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.TextGenerator;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Answers a text with another one, by a model with an encoder and a decoder: a translation, a summary. The encoder reads the text in the
 * tokenizer's frame, the decoder writes from its start token to the end token, as in training ({@link SequenceToSequenceIterator}).
 *
 * <p>Each token is computed from all before it, the encoder included: there is no cache, so an answer of n tokens costs n passes.
 */
public final class TextResponder implements Predictor<String, Generation> {
    private final ModelPool pool;
    private final TextInputs inputs;
    private final Tokenizer tokenizer;
    private final GenerationPlan plan;
    private final int startId;
    private final Optional<String> adapter;

    private TextResponder(
            ModelPool pool,
            TextInputs inputs,
            Tokenizer tokenizer,
            GenerationPlan plan,
            int startId,
            Optional<String> adapter) {
        this.pool = pool;
        this.inputs = inputs;
        this.tokenizer = tokenizer;
        this.plan = plan;
        this.startId = startId;
        this.adapter = adapter;
    }

    /**
     * Makes one.
     *
     * @param pool the model; its decoder reads the placeholder {@value SequenceToSequenceIterator#DECODER_INPUT}
     * @param tokenizer the tokenizer that the model was trained with
     * @param plan most tokens of texts and answers (its context length is that of both, each), sampler
     * @param logits name of the decoder's scores [texts, tokens, vocabulary]
     * @param startId token that the decoder begins with, {@code decoder_start_token_id} of the model's configuration
     * @throws InvalidInputException if the model has no such output, or it reads other placeholders
     */
    public static TextResponder of(
            ModelPool pool, Tokenizer tokenizer, GenerationPlan plan, String logits, int startId) {
        PredictionPlan texts = new PredictionPlan(plan.contextLength(), 1);
        TextInputs inputs = TextInputs.of(pool, tokenizer, texts, logits, SequenceToSequenceIterator.DECODER_INPUT);
        if (startId < 0 || startId >= tokenizer.vocabularySize()) {
            throw new InvalidInputException("the decoder's start token is " + startId + "; expected a token of the"
                    + " tokenizer, 0 to " + (tokenizer.vocabularySize() - 1));
        }
        return new TextResponder(pool, inputs, tokenizer, plan.batched(1), startId, Optional.empty());
    }

    @Override
    public TextResponder withAdapter(String name) {
        return new TextResponder(pool, inputs, tokenizer, plan, startId, Optional.of(name));
    }

    @Override
    public List<Generation> predict(List<? extends String> texts) {
        List<Map<String, INDArray>> read = inputs.each(texts);
        return IntStream.range(0, texts.size())
                .parallel()
                .mapToObj(i -> answer(read.get(i), i))
                .toList();
    }

    /** Writes one answer; lengths are rounded up, so that there are few shapes to compile. */
    private Generation answer(Map<String, INDArray> encoder, int number) {
        GenerationPlan rounded = plan.padToMultipleOf() > 1 ? plan : plan.paddedToMultipleOf(ROUNDED);
        return new TextGenerator((ids, lengths) -> logits(encoder, ids), tokenizer, rounded)
                .generateFrom(List.of(new int[] {startId}), new int[] {number})
                .get(0);
    }

    private static final int ROUNDED = 16;

    private INDArray logits(Map<String, INDArray> encoder, INDArray ids) {
        Map<String, INDArray> values = new HashMap<>(encoder);
        DataType type = pool.graph()
                .getVariable(SequenceToSequenceIterator.DECODER_INPUT)
                .dataType();
        values.put(SequenceToSequenceIterator.DECODER_INPUT, ids.castTo(type));
        return Objects.requireNonNull(
                pool.outputs(adapter, values, List.of(inputs.output())).get(inputs.output()));
    }
}
