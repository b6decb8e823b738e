package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.decoding.Cache;
import dev.samediff.adapters.engine.decoding.Decoding;
import dev.samediff.adapters.engine.kernel.OneDnn;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A causal decoder that remembers the keys and values of the texts it has seen, so that the next token of each costs one
 * position instead of all.
 *
 * <p>{@link #start} reads whole texts; {@link #next} then computes one position of each, the texts being at positions of
 * their own. The graph needs no cache inputs. Whether the model is causal is not checked here; {@code text.CachedLogits}
 * compares with the whole program. Not thread-safe.
 */
public final class DecodingSession implements AutoCloseable {
    private static final int MOST_PLANS = 4;

    private final SameDiff graph;
    private final String ids;
    private final String logits;
    private final EngineOptions options;
    private final FrozenWeights frozen;
    private final Map<Size, DecodingPlans> plans = new LinkedHashMap<>(8, 0.75f, true);
    private final Map<String, INDArray> caches = new LinkedHashMap<>();
    private @Nullable Size size;
    private @Nullable ReadWith readWith;

    /**
     * Opens a session; nothing is compiled before {@link #start}.
     *
     * @param graph the graph; it is not modified
     * @param ids placeholder of the token ids [batch,T]
     * @param logits variable with [batch,T,vocabulary]
     * @param options precision and threads
     */
    public DecodingSession(SameDiff graph, String ids, String logits, EngineOptions options) {
        this.graph = graph;
        this.ids = ids;
        this.logits = logits;
        this.options = options;
        this.frozen = new FrozenWeights(graph, false); // products of single rows gain nothing from packed copies
    }

    /** What plans are compiled for. */
    private record Size(long batch, long length) {}

    /**
     * Reads texts: fills the caches of all their positions.
     *
     * @param placeholders values of the placeholders for whole texts, padded on the right to the length the caches shall have
     * @throws UncompilableException if the decoder cannot be computed position by position; the message says why
     */
    public void start(Map<String, INDArray> placeholders) {
        forget();
        Size wanted = size(placeholders);
        DecodingPlans current = plans(wanted, placeholders);
        ReadWith now = ReadWith.of(graph, current.source());
        Function<String, INDArray> results =
                current.prefill().run(name -> leaf(name, current.source(), placeholders, Map.of()), null);
        for (Cache cache : current.caches()) {
            caches.put(cache.name(), results.apply(cache.name()).reshape(cache.shape(wanted.length())));
        }
        size = wanted;
        readWith = now;
    }

    /** Tells whether texts have been read and the model has not changed since: neither its structure nor its weights. */
    public boolean isCurrent() {
        return readWith != null && readWith.change().isEmpty();
    }

    /**
     * Computes one position of each text and adds it to the caches.
     *
     * @param placeholders values of the placeholders for whole texts; when they are longer than the caches, these grow
     * @param positions the position of each text; all before it must have been computed
     * @return the logits [batch, vocabulary]
     * @throws IllegalStateException if no texts were read, or the model has changed since
     */
    public INDArray next(Map<String, INDArray> placeholders, int... positions) {
        Size wanted = size(placeholders);
        Size known = size;
        if (known == null || known.batch() != wanted.batch() || wanted.length() < known.length()) {
            throw new IllegalStateException("the caches hold " + known + ", asked for was " + wanted);
        }
        requireUnchanged();
        DecodingPlans current = current(wanted, placeholders);
        if (wanted.length() > known.length()) {
            grow(current, known.length(), wanted.length());
            size = wanted;
        }
        Map<String, INDArray> state = state(placeholders, positions);
        INDArray result = current.step()
                .run(name -> leaf(name, current.source(), placeholders, state), null)
                .apply(logits);
        return result.reshape(wanted.batch(), result.length() / wanted.batch());
    }

    private void requireUnchanged() {
        Optional<String> change = readWith == null ? Optional.empty() : readWith.change();
        if (change.isPresent()) {
            throw new IllegalStateException("the model has changed since start (" + change.get()
                    + "), so the keys and values of the texts are those of another model; call start again");
        }
    }

    /** Returns the plans for a size, which are right if the texts were read with them and nothing has changed since. */
    private DecodingPlans current(Size wanted, Map<String, INDArray> placeholders) {
        ReadWith with = readWith;
        DecodingPlans known = plans.get(wanted);
        if (known != null && with != null && known.source() == with.source()) {
            return known; // looked at just now
        }
        DecodingPlans made = plans(wanted, placeholders);
        readWith = with == null ? null : with.with(made.source());
        return made;
    }

    private Map<String, INDArray> state(Map<String, INDArray> placeholders, int... positions) {
        INDArray tokens = Placeholders.get(graph.getVariable(ids), placeholders);
        long length = tokens.size(1);
        long[] rows = new long[positions.length];
        long[] places = new long[positions.length];
        INDArray current = Nd4j.createUninitialized(tokens.dataType(), positions.length, 1);
        for (int text = 0; text < positions.length; text++) {
            places[text] = positions[text];
            rows[text] = text * length + positions[text];
            current.putScalar(text, 0, tokens.getLong(text, positions[text]));
        }
        Map<String, INDArray> state = new LinkedHashMap<>(caches);
        state.put(ids, current);
        state.put(Decoding.POSITIONS, Nd4j.createFromArray(places));
        state.put(Decoding.ROWS, Nd4j.createFromArray(rows));
        return state;
    }

    private INDArray leaf(
            String name, PlanSource source, Map<String, INDArray> placeholders, Map<String, INDArray> state) {
        INDArray own = state.get(name);
        if (own != null) {
            return own;
        }
        return Placeholders.isOne(graph, name)
                ? Placeholders.get(graph.getVariable(name), placeholders)
                : frozen.get(name, source.array(PlanSource.variable(name)));
    }

    private void grow(DecodingPlans current, long from, long to) {
        for (Cache cache : current.caches()) {
            INDArray longer = Nd4j.zeros(DataType.FLOAT, cache.shape(to));
            INDArray old = caches.put(cache.name(), longer);
            if (old != null) {
                longer.get(NDArrayIndex.all(), NDArrayIndex.interval(0, from), NDArrayIndex.all())
                        .assign(old);
                old.close();
            }
        }
    }

    private DecodingPlans plans(Size wanted, Map<String, INDArray> placeholders) {
        DecodingPlans known = plans.get(wanted);
        if (known != null && known.source().isCurrent()) {
            return known;
        }
        if (!OneDnn.isAvailable() || !Nd4j.getEnvironment().isCPU()) {
            throw new UncompilableException("compiled plans need oneDNN and the CPU backend");
        }
        plans.values().removeIf(DecodingSession::closeIfStale);
        DecodingPlans made = compile(placeholders);
        plans.put(wanted, made);
        if (plans.size() > MOST_PLANS) {
            DecodingPlans eldest = plans.remove(plans.keySet().iterator().next());
            if (eldest != null) {
                eldest.close();
            }
        }
        return made;
    }

    private static boolean closeIfStale(DecodingPlans plans) {
        boolean stale = !plans.source().isCurrent();
        if (stale) {
            plans.close();
        }
        return stale;
    }

    private DecodingPlans compile(Map<String, INDArray> placeholders) {
        try {
            return DecodingPlans.compile(graph, ids, logits, placeholders, options);
        } catch (InvalidInputException e) {
            throw e;
        } catch (IllegalArgumentException e) {
            throw new UncompilableException(String.valueOf(e.getMessage()));
        }
    }

    private Size size(Map<String, INDArray> placeholders) {
        INDArray tokens = placeholders.get(ids);
        if (tokens == null || tokens.rank() != 2) {
            throw new InvalidInputException("no token ids [batch, T] were given for the placeholder `" + ids
                    + "`; given: " + placeholders.keySet());
        }
        return new Size(tokens.size(0), tokens.size(1));
    }

    /** Tells whether weights are rounded, so that results are only close to the graph's own. */
    public boolean isReduced() {
        return options.precision().isReduced();
    }

    /** Forgets the texts; what was compiled stays. */
    public void forget() {
        caches.values().forEach(INDArray::close);
        caches.clear();
        size = null;
        readWith = null;
    }

    @Override
    public void close() {
        forget();
        plans.values().forEach(DecodingPlans::close);
        plans.clear();
        frozen.close();
    }
}
