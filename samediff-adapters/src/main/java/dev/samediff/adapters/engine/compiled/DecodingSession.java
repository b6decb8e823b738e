package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.Usage;
import dev.samediff.adapters.engine.decoding.Cache;
import dev.samediff.adapters.engine.decoding.Decoding;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.engine.plan.Target;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
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
    private final Target target;
    private final FrozenWeights frozen;
    private final Map<Key, DecodingPlans> plans = new LinkedHashMap<>(8, 0.75f, true);
    private final Map<String, INDArray> caches = new LinkedHashMap<>();
    private final Usage usage = new Usage("decoding session", "open one session for each thread");
    private @Nullable Key key;
    private @Nullable ReadWith readWith;
    /** How many positions of each text the caches hold. */
    private int[] computed = {};

    /**
     * Opens a session; nothing is compiled before {@link #start}.
     *
     * @param graph the graph; it is not modified
     * @param ids placeholder of the token ids [batch,T]
     * @param logits variable with [batch,T,vocabulary]
     * @param options precision and threads
     */
    public DecodingSession(SameDiff graph, String ids, String logits, EngineOptions options) {
        // products of single rows gain nothing from packed copies
        this(graph, ids, logits, options, Targets.open(options.withPackedWeights(false)));
    }

    /**
     * Opens a session on a target; nothing is compiled before {@link #start}.
     *
     * @param graph the graph; it is not modified
     * @param ids placeholder of the token ids [batch,T]
     * @param logits variable with [batch,T,vocabulary]
     * @param options precision
     * @param target where plans run; it is the session's from now on and closed with it
     */
    public DecodingSession(SameDiff graph, String ids, String logits, EngineOptions options, Target target) {
        this(graph, ids, logits, options, target, new FrozenWeights(graph, target));
    }

    private DecodingSession(
            SameDiff graph, String ids, String logits, EngineOptions options, Target target, FrozenWeights frozen) {
        this.graph = graph;
        this.ids = ids;
        this.logits = logits;
        this.options = options;
        this.target = target;
        this.frozen = frozen;
    }

    /**
     * Opens a session that reads rounded copies of frozen weights which engines and other sessions read too.
     *
     * @param graph the graph; it is not modified
     * @param ids placeholder of the token ids [batch,T]
     * @param logits variable with [batch,T,vocabulary]
     * @param options precision and threads
     * @param copies the copies; closed by the caller, after this session
     */
    public static DecodingSession sharing(
            SameDiff graph, String ids, String logits, EngineOptions options, SharedCopies copies) {
        EngineOptions unpacked =
                options.withPackedWeights(false); // products of single rows gain nothing from packed copies
        SharedCopies.View view = copies.open(graph, unpacked);
        return new DecodingSession(
                graph, ids, logits, unpacked, view.target(), new FrozenWeights(graph, view.target(), view.rounded()));
    }

    /** What plans are compiled for: the size of the ids, and the shapes of all placeholders. */
    private record Key(long batch, long length, Map<String, List<Long>> shapes) {
        String texts() {
            return batch + " texts of " + length + " positions";
        }
    }

    /**
     * Reads texts: fills the caches of all their positions.
     *
     * @param placeholders values of the placeholders for whole texts, padded on the right to the length the caches shall have
     * @throws UncompilableException if the decoder cannot be computed position by position; the message says why
     * @throws InvalidInputException if a placeholder does not fit the graph
     * @throws IllegalStateException if the session is closed, or in use by another thread
     */
    public void start(Map<String, INDArray> placeholders) {
        usage.during(() -> {
            read(placeholders);
            return this;
        });
    }

    private void read(Map<String, INDArray> placeholders) {
        clear();
        Key wanted = key(placeholders);
        DecodingPlans current = plans(wanted, placeholders);
        current.check(placeholders);
        ReadWith now = ReadWith.of(graph, current.source());
        Map<String, INDArray> results =
                current.prefill().run(name -> leaf(name, current.source(), placeholders, Map.of()), null);
        for (Cache cache : current.caches()) {
            caches.put(
                    cache.name(),
                    Objects.requireNonNull(results.get(cache.name())).reshape(cache.shape(wanted.length())));
        }
        key = wanted;
        readWith = now;
        computed = new int[Math.toIntExact(wanted.batch())];
        Arrays.fill(computed, Math.toIntExact(wanted.length()));
    }

    /** Tells whether texts have been read and the model has not changed since: neither its structure nor its weights. */
    public boolean isCurrent() {
        return usage.during(() -> readWith != null && readWith.change().isEmpty());
    }

    /**
     * Computes one position of each text and adds it to the caches.
     *
     * @param placeholders values of the placeholders for whole texts; when they are longer than the caches, these grow
     * @param positions the position of each text; all before it must have been computed
     * @return the logits [batch, vocabulary]
     * @throws InvalidInputException if there is not one position for each text, or one is behind those that follow what was
     *     computed, or a placeholder does not fit the graph
     * @throws IllegalStateException if no texts were read, the model has changed since, or the session is closed or in use by
     *     another thread
     */
    public INDArray next(Map<String, INDArray> placeholders, int... positions) {
        return usage.during(() -> compute(placeholders, positions));
    }

    /**
     * Goes on with other texts: each begins as one of those that were read, several may as the same one.
     *
     * @param from for each text, the number of the one that it begins as
     * @throws UncompilableException if the caches have no place of their own for each text
     * @throws InvalidInputException if there is none, or no such text
     * @throws IllegalStateException if no texts were read, or the session is closed or in use by another thread
     */
    public void select(int... from) {
        usage.during(() -> {
            rearrange(from);
            return this;
        });
    }

    private void rearrange(int... from) {
        Key known = key;
        if (known == null) {
            throw new IllegalStateException("no texts were read; call start first");
        }
        long batch = known.batch();
        if (from.length == 0 || Arrays.stream(from).anyMatch(text -> text < 0 || text >= batch)) {
            throw new InvalidInputException(
                    "the caches hold " + known.texts() + ", asked for were the texts " + Arrays.toString(from));
        }
        for (Map.Entry<String, INDArray> cache : caches.entrySet()) {
            INDArray old = cache.getValue();
            if (old.size(0) % batch != 0) {
                throw new UncompilableException("what is kept of " + known.texts() + " has the shape "
                        + Arrays.toString(old.shape()) + ": no place of its own for each text");
            }
            INDArray rows = Nd4j.pullRows(old.reshape(batch, old.length() / batch), 1, from);
            cache.setValue(rows.reshape(old.size(0) / batch * from.length, old.size(1), old.size(2)));
            old.close();
        }
        key = new Key(from.length, known.length(), Map.of());
        computed = Arrays.stream(from).map(text -> computed[text]).toArray();
    }

    private INDArray compute(Map<String, INDArray> placeholders, int @Nullable [] wantedPositions) {
        Key wanted = key(placeholders);
        Key known = key;
        if (known == null) {
            throw new IllegalStateException("no texts were read, asked for was a position of " + wanted.texts());
        }
        if (known.batch() != wanted.batch() || wanted.length() < known.length()) {
            throw new InvalidInputException("the caches hold " + known.texts() + ", asked for was " + wanted.texts()
                    + "; give as many texts, of this length or longer");
        }
        int[] positions = checked(wanted, wantedPositions);
        requireUnchanged();
        DecodingPlans current = current(wanted, placeholders);
        current.check(placeholders);
        if (wanted.length() > known.length()) {
            grow(current, known.length(), wanted.length());
        }
        key = wanted;
        Map<String, INDArray> state = state(placeholders, positions);
        INDArray result = Objects.requireNonNull(current.step()
                .run(name -> leaf(name, current.source(), placeholders, state), null)
                .get(logits));
        for (int text = 0; text < positions.length; text++) {
            computed[text] = Math.max(computed[text], positions[text] + 1);
        }
        return result.reshape(wanted.batch(), result.length() / wanted.batch());
    }

    private int[] checked(Key wanted, int @Nullable [] positions) {
        if (positions == null || positions.length != wanted.batch()) {
            throw new InvalidInputException(wanted.batch() + " texts need " + wanted.batch() + " positions, given were "
                    + (positions == null ? "none" : Arrays.toString(positions)));
        }
        for (int text = 0; text < positions.length; text++) {
            long last = Math.min(wanted.length() - 1, computed[text]);
            if (positions[text] < 0 || positions[text] > last) {
                throw new InvalidInputException("the position of text " + text + " is " + positions[text]
                        + ", allowed is 0 to " + last + ": " + computed[text]
                        + " positions have been computed, the ids have "
                        + wanted.length());
            }
        }
        return positions;
    }

    private void requireUnchanged() {
        Optional<String> change = readWith == null ? Optional.empty() : readWith.change();
        if (change.isPresent()) {
            throw new IllegalStateException("the model has changed since start (" + change.get()
                    + "), so the keys and values of the texts are those of another model; call start again");
        }
    }

    /** Returns the plans for a size, which are right if the texts were read with them and nothing has changed since. */
    private DecodingPlans current(Key wanted, Map<String, INDArray> placeholders) {
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

    private DecodingPlans plans(Key wanted, Map<String, INDArray> placeholders) {
        DecodingPlans known = plans.get(wanted);
        if (known != null && known.source().isCurrent()) {
            return known;
        }
        if (!target.isAvailable()) {
            throw new UncompilableException(target.reason());
        }
        plans.values().removeIf(DecodingSession::closeIfStale);
        DecodingPlans made = DecodingPlans.compile(graph, ids, logits, placeholders, options, frozen);
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

    private Key key(Map<String, INDArray> placeholders) {
        INDArray tokens = placeholders.get(ids);
        if (tokens == null || tokens.rank() != 2) {
            throw new InvalidInputException("no token ids [batch, T] were given for the placeholder `" + ids
                    + "`; given: " + placeholders.keySet());
        }
        Placeholders.requireElements(graph, List.of(logits), placeholders);
        Map<String, List<Long>> shapes = new HashMap<>();
        placeholders.forEach((name, array) -> {
            if (array != null) { // refused where it is read
                shapes.put(name, Arrays.stream(array.shape()).boxed().toList());
            }
        });
        return new Key(tokens.size(0), tokens.size(1), shapes);
    }

    /** Tells whether weights are rounded, so that results are only close to the graph's own. */
    public boolean isReduced() {
        return frozen.isReduced(options.precision());
    }

    /**
     * Forgets the texts; what was compiled stays.
     *
     * @throws IllegalStateException if the session is closed, or in use by another thread
     */
    public void forget() {
        usage.during(() -> {
            clear();
            return this;
        });
    }

    private void clear() {
        caches.values().forEach(INDArray::close);
        caches.clear();
        key = null;
        readWith = null;
        computed = new int[0];
    }

    /**
     * Frees the memory of plans and caches.
     *
     * @throws IllegalStateException if a thread uses the session; nothing is freed then
     */
    @Override
    public void close() {
        if (!usage.close()) {
            return;
        }
        clear();
        plans.values().forEach(DecodingPlans::close);
        plans.clear();
        frozen.close();
        target.close();
    }
}
