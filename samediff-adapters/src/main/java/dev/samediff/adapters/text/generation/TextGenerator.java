package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.BatchOrder;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.tokenizer.Framing;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes on after prompts, greedily or by sampling, several prompts at a time, or by beams, one prompt after the other.
 *
 * <p>Each step asks the model for the logits of everything so far; {@link CachedLogits} computes only the last token of it.
 * Prompts of a batch are padded on the right, which causal attention never looks at, and read at their own last token; finished sequences leave the batch.
 * Prompts of similar length are put together. The result for a prompt depends neither on the batch size nor on the other
 * prompts (up to the rounding of the model itself).
 */
public final class TextGenerator {
    private final LogitsFunction model;
    private final Tokenizer tokenizer;
    private final GenerationPlan plan;
    private final Framing framing;
    private final NextScores next;
    private final @Nullable GenerationListener listener;

    /** Generates with this model, tokenizer and plan. */
    public TextGenerator(LogitsFunction model, Tokenizer tokenizer, GenerationPlan plan) {
        this(model, tokenizer, plan, null);
    }

    private TextGenerator(
            LogitsFunction model, Tokenizer tokenizer, GenerationPlan plan, @Nullable GenerationListener listener) {
        this.listener = listener;
        this.model = model;
        this.tokenizer = tokenizer;
        this.plan = plan;
        this.framing = tokenizer.framing();
        this.next = new NextScores(model, tokenizer, plan);
    }

    /** The same, and tells what is written as it is written. */
    public TextGenerator tellingTo(GenerationListener other) {
        return new TextGenerator(model, tokenizer, plan, other);
    }

    /** What follows each prompt, in the order of the prompts; in front of them stands what the tokenizer's files say. */
    public List<Generation> generate(List<String> prompts) {
        return generateFrom(prompts.stream()
                .map(prompt -> framing.begin(tokenizer.encode(prompt)))
                .toList());
    }

    /** What follows each prompt of token ids, such as those of {@link SequenceEncoder#encodePrompt}. */
    public List<Generation> generateFrom(List<int[]> prompts) {
        return generateFrom(prompts, IntStream.range(0, prompts.size()).toArray());
    }

    /**
     * What follows each of some prompts of a longer list, the same as if all of the list were given.
     *
     * @param prompts token ids
     * @param numbers the number of each prompt in the list, from 0, by which it has its random numbers
     */
    public List<Generation> generateFrom(List<int[]> prompts, int[] numbers) {
        if (plan.beams().isPresent()) {
            return byBeams(prompts, numbers, plan.beams().get());
        }
        List<Running> waiting = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            waiting.add(new Running(i, numbers[i], checked(prompts.get(i), numbers[i])));
        }
        waiting.sort(Comparator.comparingInt((Running sequence) -> sequence.length));
        Generation[] results = new Generation[prompts.size()];
        for (int start = 0; start < waiting.size(); start += plan.batchSize()) {
            int end = Math.min(waiting.size(), start + plan.batchSize());
            run(new ArrayList<>(waiting.subList(start, end)), results);
        }
        return List.of(results);
    }

    private List<Generation> byBeams(List<int[]> prompts, int[] numbers, Beams beams) {
        List<Generation> results = new ArrayList<>();
        for (int i = 0; i < numbers.length; i++) {
            model.restart();
            BeamSearch search = new BeamSearch(next, beams, numbers[i]);
            Generation best = search.after(checked(prompts.get(i), numbers[i]));
            if (listener != null && !best.text().isEmpty()) {
                listener.onText(numbers[i], best.text()); // nothing of it was sure before
            }
            results.add(best);
        }
        return results;
    }

    private int[] checked(int[] prompt, int index) {
        if (prompt.length == 0) {
            throw new InvalidInputException("prompt " + index + " has no tokens; a model needs at least one to go on"
                    + " from (a beginning token would do)");
        }
        if (prompt.length >= plan.contextLength()) {
            throw new InvalidInputException(
                    "prompt " + index + " has " + prompt.length + " tokens, the context length is "
                            + plan.contextLength() + ": there is no room to write; shorten it, or encode it with"
                            + " SequenceEncoder.encodePrompt, which cuts it on the left");
        }
        return prompt;
    }

    private void run(List<Running> batch, Generation[] results) {
        model.restart();
        while (!batch.isEmpty()) {
            step(batch);
            batch.removeIf(sequence -> {
                Generation.End end = sequence.end;
                if (end != null) {
                    int[] ids = Arrays.copyOfRange(sequence.ids, sequence.promptLength, sequence.length);
                    String text = sequence.written == null ? tokenizer.decode(ids) : sequence.written.text();
                    results[sequence.index] = new Generation(text, ids, end);
                }
                return end != null;
            });
        }
    }

    private void step(List<Running> batch) {
        float[][] scores = next.of(batch.stream()
                .map(sequence -> Arrays.copyOf(sequence.ids, sequence.length))
                .toList());
        for (int row = 0; row < scores.length; row++) {
            batch.get(row).append(scores[row]);
        }
    }

    /** A sequence that is being written. */
    private final class Running {
        private final int index;
        private final int number;
        private final int promptLength;
        private final Random random;
        private final int[] ids;
        private int length;
        private final @Nullable WrittenText written;
        private Generation.@Nullable End end;

        Running(int index, int number, int[] prompt) {
            this.index = index;
            this.number = number;
            this.promptLength = prompt.length;
            this.random = new Random(BatchOrder.mix(plan.seed(), number));
            int most = (int) Math.min(plan.contextLength(), (long) prompt.length + plan.maxNewTokens());
            this.ids = Arrays.copyOf(prompt, most);
            this.length = prompt.length;
            this.written = listener == null && plan.stops().isEmpty() ? null : new WrittenText(tokenizer, plan.stops());
        }

        void append(float[] logits) {
            NextScores.check(logits, number, length);
            int id = plan.sampler().choose(logits, Arrays.copyOf(ids, length), random);
            if (framing.isEnd(id)) {
                end = Generation.End.EOS;
                tell();
                return;
            }
            ids[length++] = id;
            if (length == promptLength + plan.maxNewTokens()) {
                end = Generation.End.MAX_NEW_TOKENS;
            } else if (length == plan.contextLength()) {
                end = Generation.End.CONTEXT;
            }
            if (written != null && written.read(Arrays.copyOfRange(ids, promptLength, length))) {
                end = Generation.End.STOP_STRING;
            }
            tell();
        }

        private void tell() {
            if (written == null || listener == null) {
                return;
            }
            String piece = written.next(end != null);
            if (!piece.isEmpty() && !listener.onText(number, piece) && end == null) {
                end = Generation.End.CANCELLED;
            }
        }
    }
}
