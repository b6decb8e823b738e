package dev.samediff.adapters.serving;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseModel;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.compiled.SharedCopies;
import dev.samediff.adapters.graph.AdapterTensors;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.GraphOutputs;
import dev.samediff.adapters.graph.Names;
import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.text.generation.LogitsFunction;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Predicts with one base model and any number of adapters, from any number of threads.
 *
 * <pre>{@code
 * try (ModelPool pool = ModelPool.open(imported, PoolOptions.defaults())) {
 *     pool.put("support", AdapterFolder.load(folder));
 *     Map<String, INDArray> scores = pool.outputs("support", Map.of("input_ids", ids, ...), List.of("logits"));
 * }
 * }</pre>
 *
 * <p>Each request names its adapter, or none, and is answered with the numbers that the adapter had when the request began:
 * {@link #put} replaces an adapter under load. Requests do not see each other, and nobody sees the caller's graph: workers have
 * copies that read the same arrays. The base weights, and the engine's packed or rounded copies of them, exist once; an adapter takes the memory of its own
 * tensors (PiSSA, OLoRA and SORSA twice that: as LoRA of rank 2r on the base weights, which {@link AdapterState#toPlainLora} explains).
 *
 * <p>The base graph's arrays are read until the pool is closed, and must not be written to meanwhile. Thread-safe.
 */
public final class ModelPool implements AutoCloseable {
    private final SameDiff base;
    private final Map<String, String> paths;
    private final PoolOptions options;
    private final SharedCopies copies;
    private final Semaphore turns;
    private final Map<ServedAdapter.Form, WorkerGroup> groups = new HashMap<>();
    private final Map<String, Served> adapters = new TreeMap<>();
    private final Served plain;
    private int requests;
    private boolean closed;

    /** An adapter and its workers; adapters are equal by identity. */
    private record Served(ServedAdapter adapter, WorkerGroup group) {}

    private ModelPool(SameDiff base, Map<String, String> paths, PoolOptions options) {
        this.base = base;
        this.paths = Map.copyOf(paths);
        this.options = options;
        this.copies = new SharedCopies(base);
        this.turns = new Semaphore(options.workers(), true);
        this.plain = served(ServedAdapter.NONE, base);
    }

    /**
     * Opens a pool of a model, see {@link #open(SameDiff, Map, PoolOptions)}.
     *
     * @param model the base model
     * @param options workers, threads, precision
     */
    public static ModelPool open(BaseModel model, PoolOptions options) {
        return open(model.graph(), model.modulePaths(), options);
    }

    /**
     * Opens a pool; nothing is compiled before the first request.
     *
     * @param graph the base model, or a graph with its adapters as they are now, which then takes no others; it is not changed, and not used after this call
     * @param modulePathsByWeight module paths by weight variable, as the importer gives them; empty if the weights are named by
     *     them
     * @param options workers, threads, precision
     */
    public static ModelPool open(SameDiff graph, Map<String, String> modulePathsByWeight, PoolOptions options) {
        SameDiff base = SharingCopy.of(graph);
        if (AdapterTensors.any(base).isEmpty()) {
            GraphEditor editor = new GraphEditor(base);
            editor.freeze(editor.trainables()); // nothing is trained: engines may keep copies of all weights
        }
        return new ModelPool(base, modulePathsByWeight, options);
    }

    /**
     * Adds an adapter, or replaces the one of this name: requests that begin after this call are answered by it, those that
     * began before by the former. Loading takes as long as the base weights' hash does, and disturbs no request.
     *
     * @param name any name
     * @param state the adapter, as {@code AdapterFolder.load} or {@code AdaptedModel.state()} gives it; copied
     * @throws InvalidInputException if it does not fit the base model; the former stays then
     * @throws IllegalStateException if the pool is closed
     */
    public void put(String name, AdapterState state) {
        AdapterTensors.any(base).ifPresent(tensor -> {
            throw new InvalidInputException("the pool was opened with a graph that has adapters already (`" + tensor
                    + "`); open it with the base model to serve several");
        });
        SameDiff graph;
        synchronized (base) {
            graph = SharingCopy.of(base);
        }
        ServedAdapter adapter = ServedAdapter.inject(graph, paths, state);
        synchronized (this) {
            requireOpen();
            Served former = adapters.put(name, served(adapter, graph));
            if (former != null) {
                retire(former);
            }
        }
    }

    private synchronized Served served(ServedAdapter adapter, SameDiff prototype) {
        WorkerGroup group =
                groups.computeIfAbsent(adapter.form(), form -> new WorkerGroup(prototype, options.engine(), copies));
        group.join();
        return new Served(adapter, group);
    }

    private void retire(Served former) {
        if (former.group().leave()) {
            groups.remove(former.adapter().form());
        }
    }

    /**
     * Removes an adapter; requests that have begun are answered.
     *
     * @return whether there was one
     */
    public synchronized boolean remove(String name) {
        Served former = adapters.remove(name);
        if (former != null) {
            retire(former);
        }
        return former != null;
    }

    /** Returns the names of the adapters, sorted. */
    public synchronized List<String> adapters() {
        return List.copyOf(adapters.keySet());
    }

    /**
     * Computes with the base model.
     *
     * @param placeholders values by placeholder, as the engines take them
     * @param outputs names of variables
     * @return their values; they belong to the caller
     * @throws InvalidInputException if the placeholders do not fit, or there is no such output
     * @throws IllegalStateException if the pool is closed
     */
    public Map<String, INDArray> outputs(Map<String, INDArray> placeholders, Collection<String> outputs) {
        return outputs(Optional.empty(), placeholders, outputs);
    }

    /**
     * Computes with an adapter, see {@link #outputs(Map, Collection)}.
     *
     * @param adapter name of an adapter of the pool
     */
    public Map<String, INDArray> outputs(
            String adapter, Map<String, INDArray> placeholders, Collection<String> outputs) {
        return outputs(Optional.of(adapter), placeholders, outputs);
    }

    /** Computes with an adapter or the base model, see {@link #outputs(Map, Collection)}. */
    public Map<String, INDArray> outputs(
            Optional<String> adapter, Map<String, INDArray> placeholders, Collection<String> outputs) {
        return answer(adapter, worker -> worker.engine().outputs(placeholders, outputs));
    }

    /**
     * Has a causal decoder with a key/value cache for one piece of work, such as the completion of a batch of texts; nobody else uses it
     * meanwhile, and the adapter does not change under it.
     *
     * @param adapter name of an adapter of the pool, or empty
     * @param logits name of the scores [texts, tokens, vocabulary]
     * @param longest most tokens the model sees
     * @param work uses the decoder, which is of no use afterwards
     * @throws InvalidInputException if there is no such output, or it needs inputs that texts cannot fill
     * @throws IllegalStateException if the pool is closed
     */
    public <T> T decode(Optional<String> adapter, String logits, int longest, Function<LogitsFunction, T> work) {
        requireVariable(logits);
        return answer(adapter, worker -> work.apply(worker.decoders().get(logits, longest)));
    }

    /** Has a worker for one answer: waits for its turn, and gives it back. */
    private <T> T answer(Optional<String> adapter, Function<Worker, T> work) {
        turns.acquireUninterruptibly();
        try {
            Served served = begin(adapter);
            try {
                return answer(served, work);
            } finally {
                end();
            }
        } finally {
            turns.release();
        }
    }

    private static <T> T answer(Served served, Function<Worker, T> work) {
        Worker worker = served.group().take(served.adapter());
        boolean failed = true;
        try {
            T result = work.apply(worker);
            failed = false;
            return result;
        } catch (InvalidInputException refused) {
            failed = false; // nothing has been computed
            throw refused;
        } finally {
            served.group().giveBack(worker, failed);
        }
    }

    private synchronized Served begin(Optional<String> adapter) {
        requireOpen();
        Served served = plain;
        if (adapter.isPresent()) {
            @Nullable Served found = adapters.get(adapter.get());
            if (found == null) {
                throw new InvalidInputException("there is no adapter `" + adapter.get() + "` in the pool; it has "
                        + Names.some(adapters.keySet()));
            }
            served = found;
        }
        requests++;
        return served;
    }

    private synchronized void end() {
        requests--;
        if (closed && requests == 0) {
            copies.close();
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the pool is closed; open another one");
        }
    }

    /**
     * Returns the base model's graph, to look at names and shapes; others read it too, so nobody may compute with it or change it.
     */
    public SameDiff graph() {
        return base;
    }

    /**
     * Checks that the model has a variable.
     *
     * @throws InvalidInputException if it has not; the message lists the outputs
     */
    public void requireVariable(String name) {
        if (!base.hasVariable(name)) {
            throw new InvalidInputException(
                    "the model has no variable `" + name + "`; its outputs are " + GraphOutputs.text(base));
        }
    }

    /** Returns what the pool holds beside the base model's arrays. */
    public synchronized Memory memory() {
        long tensors = adapters.values().stream()
                .mapToLong(served -> served.adapter().bytes())
                .sum();
        int workers = groups.values().stream().mapToInt(WorkerGroup::workers).sum();
        return new Memory(tensors, copies.bytes(), workers);
    }

    /**
     * What a pool holds beside the base model's arrays; intermediate results of the workers' plans come on top, see docs/serving.md.
     *
     * @param adapterBytes tensors of all adapters, in bytes
     * @param copyBytes packed or rounded copies of the base weights, in bytes
     * @param workers workers that have been made
     */
    public record Memory(long adapterBytes, long copyBytes, int workers) {}

    /** Refuses further requests, and frees the memory, that of requests which are being answered when they end. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        adapters.values().forEach(this::retire);
        adapters.clear();
        retire(plain);
        if (requests == 0) {
            copies.close();
        }
    }
}
