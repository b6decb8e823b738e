package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.fusion.LabelledRows;
import dev.samediff.adapters.engine.kernel.OneDnn;
import dev.samediff.adapters.engine.plan.Profile;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.Objective;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Executes a graph by a static plan of fused oneDNN kernels, compiled once for each set of placeholder shapes. What cannot be
 * compiled is executed by a {@link ReferenceEngine}; {@link #fallback} says why.
 */
public final class CompiledEngine implements Engine {
    /** Plans kept for different shapes and numbers of labelled rows; each holds the memory of its intermediate results. */
    public static final int MOST_PLANS = 12;

    private final SameDiff graph;
    private final String loss;
    private final List<String> trainables;
    private final EngineOptions options;
    private final FrozenWeights frozen;
    private final ReferenceEngine reference;
    private final Objective objective;
    private final Map<Key, CompiledStep> plans;
    private final Map<Key, Optional<LabelledRows.Mask>> masks = new HashMap<>();
    private final ExecutionTimes times = new ExecutionTimes();
    private @Nullable String fallback;
    private @Nullable Profile profile;

    /**
     * Opens an engine; nothing is compiled before the first call.
     *
     * @param graph the graph; it is not modified
     * @param loss the scalar variable to differentiate
     * @param trainables the VARIABLEs to differentiate it by
     * @param options precision, recomputation, threads
     */
    public CompiledEngine(SameDiff graph, String loss, List<String> trainables, EngineOptions options) {
        this.graph = graph;
        this.loss = loss;
        this.trainables = List.copyOf(trainables);
        this.options = options;
        this.frozen = new FrozenWeights(graph, options.packed());
        this.reference = new ReferenceEngine(graph, loss, trainables);
        this.objective = Objective.of(graph, loss, trainables);
        this.plans = new LinkedHashMap<>(16, 0.75f, true);
        if (!OneDnn.isAvailable()) {
            fallback = OneDnn.reason();
        } else if (!Nd4j.getEnvironment().isCPU()) {
            fallback = "compiled plans run on the CPU backend only";
        } else if (options.threads() > 0) {
            OneDnn.threads(options.threads());
        }
    }

    /** What a plan was compiled for. */
    private record Key(boolean backward, Set<String> outputs, Map<String, List<Long>> shapes, long rows) {
        Key withRows(long labelled) {
            return new Key(backward, outputs, shapes, labelled);
        }
    }

    /** Returns why the last call was not executed by a compiled plan; empty if it was, or if there was none. */
    public Optional<String> fallback() {
        return Optional.ofNullable(fallback);
    }

    /** Returns the memory for intermediate results of all compiled plans, in bytes. */
    public long arenaBytes() {
        return plans.values().stream()
                .mapToLong(step -> step.plan().arenaBytes())
                .sum();
    }

    /**
     * Compiles the step for placeholders of these shapes, runs nothing, and returns the memory for its intermediate results in
     * bytes; empty if it cannot be compiled.
     */
    public OptionalLong stepBytes(Map<String, INDArray> placeholders) {
        CompiledStep step = step(true, List.of(loss), placeholders);
        return step == null ? OptionalLong.empty() : OptionalLong.of(step.plan().arenaBytes());
    }

    /** Returns the memory of copies of frozen weights, rounded or packed, in bytes. */
    public long weightBytes() {
        return frozen.bytes();
    }

    /** Starts to measure every kernel, which costs some microseconds a step; the profile grows with each call. */
    public Profile profile() {
        Profile current = profile == null ? new Profile() : profile;
        profile = current;
        return current;
    }

    @Override
    public Gradients gradients(Map<String, INDArray> placeholders) {
        CompiledStep step = step(true, List.of(loss), placeholders);
        Profile sample = times.next();
        long start = System.nanoTime();
        if (step == null) {
            Gradients gradients = byReference(placeholders);
            times.reference(System.nanoTime() - start, fallback);
            return gradients;
        }
        Gradients gradients = step.gradients(placeholders, profile == null ? sample : profile);
        times.compiled(System.nanoTime() - start);
        return gradients;
    }

    @Override
    public Optional<ExecutionReport> report() {
        return times.report(profile);
    }

    private Gradients byReference(Map<String, INDArray> placeholders) {
        try {
            return reference.gradients(placeholders);
        } catch (UnsupportedOperationException | IllegalStateException | NullPointerException e) {
            throw new InvalidInputException(
                    "this graph cannot be trained: " + fallback + "; SameDiff's own operations fail, too: "
                            + e.getMessage(),
                    e);
        }
    }

    @Override
    public Map<String, INDArray> outputs(Map<String, INDArray> placeholders, Collection<String> outputs) {
        for (String name : outputs) {
            if (!graph.hasVariable(name)) {
                throw new InvalidInputException(
                        "the graph has no variable `" + name + "`; its outputs are " + graph.outputs());
            }
        }
        CompiledStep step = step(false, outputs, placeholders);
        return step == null ? reference.outputs(placeholders, outputs) : step.outputs(placeholders, profile);
    }

    /** Returns the compiled step for these shapes, or null if there is none. */
    private @Nullable CompiledStep step(
            boolean backward, Collection<String> outputs, Map<String, INDArray> placeholders) {
        if (!OneDnn.isAvailable() || !Nd4j.getEnvironment().isCPU()) {
            return null;
        }
        Key shape = new Key(backward, new LinkedHashSet<>(outputs), shapes(placeholders), 0);
        Optional<LabelledRows.Mask> mask = masks.getOrDefault(shape, Optional.empty());
        Key key = shape.withRows(
                mask.map(found -> LabelledBatch.capacity(found, placeholders)).orElse(0L));
        CompiledStep step = plans.get(key);
        if (step != null && step.isCurrent()) {
            return step;
        }
        plans.values().removeIf(CompiledEngine::closeIfStale);
        if (backward) {
            objective.requirePresent(loss);
        }
        try {
            step = CompiledStep.compile(
                    graph, outputs, backward ? trainables : List.of(), placeholders, options, frozen);
        } catch (InvalidInputException e) {
            throw e;
        } catch (UncompilableException | IllegalArgumentException e) {
            fallback = e.getMessage();
            return null;
        }
        fallback = null;
        masks.put(shape, step.mask());
        plans.put(shape.withRows(step.rows()), step);
        if (plans.size() > MOST_PLANS) {
            Key eldest = plans.keySet().iterator().next();
            CompiledStep old = plans.remove(eldest);
            if (old != null) {
                old.close();
            }
        }
        return step;
    }

    private static boolean closeIfStale(CompiledStep step) {
        boolean stale = !step.isCurrent();
        if (stale) {
            step.close();
        }
        return stale;
    }

    private static Map<String, List<Long>> shapes(Map<String, INDArray> placeholders) {
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        placeholders.forEach((name, array) ->
                shapes.put(name, Arrays.stream(array.shape()).boxed().toList()));
        return shapes;
    }

    @Override
    public void close() {
        plans.values().forEach(CompiledStep::close);
        plans.clear();
        frozen.close();
        reference.close();
    }
}
