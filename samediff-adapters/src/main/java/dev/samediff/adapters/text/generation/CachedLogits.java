package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.compiled.DecodingSession;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A causal language model with a key/value cache: when each text of a call is one of the last call and one more token, only
 * these tokens are computed; texts may leave between calls, and several may go on from the same one. Any other call reads its texts anew.
 *
 * <p>The first call of every batch size and capacity, and the first that goes on from one text several times, is compared with the whole model. A model that cannot be decoded position by position, or that is not
 * causal, is computed as a whole; {@link #fallback} says why.
 */
public final class CachedLogits implements LogitsFunction, AutoCloseable {
    /** Largest difference from the whole model's logits, relative to the largest of them; bfloat16 rounds to 8 bits. */
    private static final double TOLERANCE = 1e-3;

    private static final double REDUCED_TOLERANCE = 5e-2;

    private final DecodingSession session;
    private final LogitsFunction whole;
    private final BiFunction<INDArray, int[], Map<String, INDArray>> inputs;
    private final Capacities capacities;
    /** Batch sizes and capacities whose first call was compared. */
    private final Set<List<Integer>> checked = new HashSet<>();

    /** Whether a text of two and more tokens was compared; one token cannot show whether the model is causal. */
    private boolean causal;

    private @Nullable String fallback;
    /** The tokens of each text that the session knows. */
    private long[][] texts = {};

    /**
     * Puts a cache before a model.
     *
     * @param session the model's graph, decoded position by position; closed with this
     * @param whole the same model without a cache
     * @param inputs gives the placeholders' values for ids [batch,T] and lengths
     * @param capacities lengths of caches
     */
    public CachedLogits(
            DecodingSession session,
            LogitsFunction whole,
            BiFunction<INDArray, int[], Map<String, INDArray>> inputs,
            Capacities capacities) {
        this.session = session;
        this.whole = whole;
        this.inputs = inputs;
        this.capacities = capacities;
    }

    /**
     * Puts a cache before a graph, with caches of 64, 128, 192, 256, 384, ... tokens.
     *
     * @param whole the graph as a language model
     * @param longest most tokens the model sees
     * @param options precision and threads of the cached computation
     */
    public static CachedLogits of(GraphLogits whole, int longest, EngineOptions options) {
        return new CachedLogits(whole.session(options), whole, whole::inputs, Capacities.upTo(longest));
    }

    /** Returns why there is no cache; empty if there is one, or nothing has been computed. */
    public Optional<String> fallback() {
        return Optional.ofNullable(fallback);
    }

    @Override
    public INDArray logits(INDArray ids, int[] textLengths) {
        if (fallback != null) {
            return whole.logits(ids, textLengths);
        }
        try {
            long[][] tokens = tokens(ids, textLengths);
            int[] slots = slots(tokens);
            if (slots == null) {
                return start(tokens, ids, textLengths);
            }
            boolean forked = isForked(slots);
            if (forked) {
                session.select(slots);
                texts = tokens;
                Arrays.setAll(slots, row -> row);
            } else {
                for (int row = 0; row < slots.length; row++) {
                    texts[slots[row]] = tokens[row];
                }
            }
            INDArray logits = rows(step(), slots);
            if (!causal || (forked && checked.add(List.of(texts.length, padded()[0].length, 1)))) {
                check(logits, ids, textLengths);
            }
            return logits;
        } catch (UncompilableException e) {
            fallback = e.getMessage();
            session.forget();
            return whole.logits(ids, textLengths);
        }
    }

    private static long[][] tokens(INDArray ids, int... lengths) {
        long[][] tokens = ids.toLongMatrix();
        for (int row = 0; row < tokens.length; row++) {
            tokens[row] = Arrays.copyOf(tokens[row], lengths[row]);
        }
        return tokens;
    }

    /** Returns the cached text that each text goes on from, several perhaps from the same one; null if one of them from none. */
    private int @Nullable [] slots(long[][] tokens) {
        if (!session.isCurrent()) {
            return null;
        }
        int[] slots = new int[tokens.length];
        boolean[] taken = new boolean[texts.length];
        for (int row = 0; row < tokens.length; row++) {
            int found = -1;
            for (int slot = 0; slot < texts.length && (found < 0 || taken[found]); slot++) {
                if (continues(tokens[row], texts[slot]) && (found < 0 || !taken[slot])) {
                    found = slot;
                }
            }
            if (found < 0) {
                return null;
            }
            taken[found] = true;
            slots[row] = found;
        }
        return slots;
    }

    private static boolean isForked(int... slots) {
        return Arrays.stream(slots).distinct().count() < slots.length;
    }

    private static boolean continues(long[] text, long[] cached) {
        return text.length == cached.length + 1 && Arrays.equals(text, 0, cached.length, cached, 0, cached.length);
    }

    /** Reads all tokens but the last of each text, then computes the last. */
    private INDArray start(long[][] tokens, INDArray ids, int... textLengths) {
        texts = tokens;
        long[][] before = padded();
        for (int row = 0; row < before.length; row++) {
            // To a cache the last token is not known yet: another one in its place must make no difference.
            int last = texts[row].length - 1;
            before[row][last] = before[row][last] == 0 ? 1 : 0;
        }
        session.start(inputs.apply(Nd4j.createFromArray(before), lengths()));
        INDArray logits = step();
        if (checked.add(List.of(texts.length, before[0].length)) || !causal) {
            check(logits, ids, textLengths);
        }
        return logits;
    }

    private INDArray step() {
        int[] positions = Arrays.stream(lengths()).map(length -> length - 1).toArray();
        return session.next(inputs.apply(Nd4j.createFromArray(padded()), lengths()), positions);
    }

    private int[] lengths() {
        return Arrays.stream(texts).mapToInt(text -> text.length).toArray();
    }

    private long[][] padded() {
        int longest = Arrays.stream(lengths()).max().orElse(1);
        int capacity = capacities.of(longest);
        if (longest > capacity) {
            throw new InvalidInputException("a text has " + longest + " tokens, the model sees at most "
                    + capacities.longest() + "; shorten it");
        }
        return Arrays.stream(texts).map(text -> Arrays.copyOf(text, capacity)).toArray(long[][]::new);
    }

    private void check(INDArray logits, INDArray ids, int... lengths) {
        INDArray expected = whole.logits(ids, lengths);
        double tolerance = session.isReduced() ? REDUCED_TOLERANCE : TOLERANCE;
        for (int row = 0; row < lengths.length; row++) {
            float[] right = LastLogits.of(expected, row, lengths[row] - 1);
            float[] cached = LastLogits.of(logits, row, 0);
            double largest = 0;
            double difference = 0;
            for (int i = 0; i < right.length; i++) {
                largest = Math.max(largest, Math.abs(right[i]));
                difference = Math.max(difference, Math.abs((double) right[i] - cached[i]));
            }
            if (!(difference <= tolerance * largest)) {
                throw new UncompilableException("logits computed from a cache differ from the whole model's by "
                        + difference + ", at most " + tolerance * largest
                        + " was expected; is a token seen by tokens before it?");
            }
        }
        causal |= Arrays.stream(lengths).anyMatch(length -> length > 1);
    }

    private static INDArray rows(INDArray logits, int... slots) {
        boolean all = slots.length == logits.size(0);
        for (int row = 0; row < slots.length; row++) {
            all &= slots[row] == row;
        }
        return all ? logits : Nd4j.pullRows(logits, 1, slots);
    }

    @Override
    public void restart() {
        whole.restart();
        session.forget();
    }

    @Override
    public void close() {
        session.close();
    }
}
