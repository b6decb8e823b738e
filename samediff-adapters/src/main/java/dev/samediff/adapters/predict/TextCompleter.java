package dev.samediff.adapters.predict;

import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationListener;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.TextGenerator;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Continues a text by a causal decoder, with a key/value cache. All tokens of an answer come from the adapter as it was when the
 * answer was begun, also if it is replaced meanwhile. Sampled answers are those of {@link TextGenerator} to the same list of prompts.
 */
public final class TextCompleter implements Predictor<String, Generation> {
    private final ModelPool pool;
    private final SequenceEncoder encoder;
    private final GenerationPlan plan;
    private final String logits;
    private final Optional<String> adapter;
    private final @Nullable GenerationListener listener;

    private TextCompleter(
            ModelPool pool,
            SequenceEncoder encoder,
            GenerationPlan plan,
            String logits,
            Optional<String> adapter,
            @Nullable GenerationListener listener) {
        this.listener = listener;
        this.pool = pool;
        this.encoder = encoder;
        this.plan = plan;
        this.logits = logits;
        this.adapter = adapter;
    }

    /**
     * Makes one that encodes prompts without special tokens.
     *
     * @param pool the model
     * @param tokenizer the tokenizer that the model was trained with
     * @param plan how far, and in what batches
     * @param logits name of the scores [texts, tokens, vocabulary]
     * @throws dev.samediff.adapters.InvalidInputException if the model has no such output
     */
    public static TextCompleter of(ModelPool pool, Tokenizer tokenizer, GenerationPlan plan, String logits) {
        pool.requireVariable(logits);
        return new TextCompleter(
                pool, SequenceEncoder.of(tokenizer, plan.contextLength()), plan, logits, Optional.empty(), null);
    }

    /** Returns this with prompts that are encoded otherwise, such as with a beginning token. */
    public TextCompleter withEncoder(SequenceEncoder newEncoder) {
        return new TextCompleter(pool, newEncoder, plan, logits, adapter, listener);
    }

    /** Returns this with another plan, such as that of one request. */
    public TextCompleter withPlan(GenerationPlan newPlan) {
        return new TextCompleter(pool, encoder, newPlan, logits, adapter, listener);
    }

    /**
     * Returns this telling what is written as it is written.
     *
     * @param newListener is called by the threads that write, one for each batch of prompts; a worker of the pool waits for it
     */
    public TextCompleter tellingTo(GenerationListener newListener) {
        return new TextCompleter(pool, encoder, plan, logits, adapter, newListener);
    }

    @Override
    public TextCompleter withAdapter(String name) {
        return new TextCompleter(pool, encoder, plan, logits, Optional.of(name), listener);
    }

    @Override
    public List<Generation> predict(List<? extends String> prompts) {
        List<int[]> ids = prompts.stream().map(encoder::encodePrompt).toList();
        List<Integer> order = IntStream.range(0, ids.size())
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> ids.get(i).length))
                .toList();
        List<List<Integer>> batches = new ArrayList<>();
        for (int start = 0; start < order.size(); start += plan.batchSize()) {
            batches.add(order.subList(start, Math.min(order.size(), start + plan.batchSize())));
        }
        Generation[] answers = new Generation[ids.size()];
        (batches.size() > 1 ? batches.parallelStream() : batches.stream()).forEach(batch -> {
            List<Generation> generated = generate(
                    batch.stream().map(ids::get).toList(),
                    batch.stream().mapToInt(i -> i).toArray());
            for (int i = 0; i < generated.size(); i++) {
                answers[batch.get(i)] = generated.get(i);
            }
        });
        return List.of(answers);
    }

    private List<Generation> generate(List<int[]> prompts, int... numbers) {
        return pool.decode(adapter, logits, plan.contextLength(), model -> {
            TextGenerator silent = new TextGenerator(model, encoder.tokenizer(), plan);
            return (listener == null ? silent : silent.tellingTo(listener)).generateFrom(prompts, numbers);
        });
    }
}
