package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.Usage;
import dev.samediff.adapters.engine.fusion.LabelledRows;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.engine.plan.Profile;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.GradientGraph;
import dev.samediff.adapters.graph.GraphOutputs;
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

/**
 * Executes a graph by a static plan of fused kernels, compiled once for each set of placeholder shapes. What cannot be
 * compiled is executed by a {@link ReferenceEngine}; {@link #fallback} says why.
 */
public final class CompiledEngine implements Engine {
    /** Plans kept for different shapes and numbers of labelled rows; each holds the memory of its intermediate results. */
    public static final int MOST_PLANS = 12;

    private final SameDiff graph;
    private final String loss;
    private final List<String> trainables;
    private final EngineOptions options;
    private final Target target;
    private final FrozenWeights frozen;
    private final ReferenceEngine reference;
    private final Objective objective;
    private final Map<Key, CompiledStep> plans;
    private final Map<Key, Optional<LabelledRows.Mask>> masks = new HashMap<>();
    private final Refusals<Key> refusals;
    private final Usage usage = new Usage("compiled engine", "open one engine for each thread");
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
        this(graph, loss, trainables, options, Targets.open(options));
    }

    /**
     * Opens an engine on a target; nothing is compiled before the first call.
     *
     * @param graph the graph; it is not modified
     * @param loss the scalar variable to differentiate
     * @param trainables the VARIABLEs to differentiate it by
     * @param options precision and recomputation
     * @param target where plans run; it is the engine's from now on and closed with it
     */
    public CompiledEngine(SameDiff graph, String loss, List<String> trainables, EngineOptions options, Target target) {
        this(graph, loss, trainables, options, target, new FrozenWeights(graph, target));
    }

    private CompiledEngine(
            SameDiff graph,
            String loss,
            List<String> trainables,
            EngineOptions options,
            Target target,
            FrozenWeights frozen) {
        this.graph = graph;
        this.loss = loss;
        this.trainables = List.copyOf(trainables);
        this.options = options;
        this.target = target;
        this.frozen = frozen;
        this.reference = new ReferenceEngine(graph, loss, trainables);
        this.objective = Objective.of(graph, loss, trainables);
        this.plans = new LinkedHashMap<>(16, 0.75f, true);
        this.refusals = new Refusals<>(graph);
        this.fallback = target.isAvailable() ? null : target.reason();
    }

    /**
     * Opens an engine that computes outputs only, and reads copies of frozen weights that other engines read too.
     *
     * @param graph the graph; it is not modified
     * @param options precision and threads
     * @param copies the copies; closed by the caller, after this engine
     */
    public static CompiledEngine sharing(SameDiff graph, EngineOptions options, SharedCopies copies) {
        SharedCopies.View view = copies.open(graph, options);
        return new CompiledEngine(
                graph, "", List.of(), options, view.target(), new FrozenWeights(graph, view.target(), view.rounded()));
    }

    /** What a plan was compiled for. */
    private record Key(boolean backward, Set<String> outputs, Map<String, List<Long>> shapes, long rows) {
        Key withRows(long labelled) {
            return new Key(backward, outputs, shapes, labelled);
        }

        String title() {
            return (backward ? "training by " : "computing ") + outputs + " for placeholders of shapes " + shapes;
        }
    }

    /** Returns why the last call was not executed by a compiled plan; empty if it was, or if there was none. */
    public Optional<String> fallback() {
        return Optional.ofNullable(fallback);
    }

    /**
     * Returns the memory of all compiled plans, in bytes: intermediate results, working memory of kernels on all threads, and
     * what was computed when they were compiled. Copies of frozen weights are counted by {@link #weightBytes}.
     */
    public long arenaBytes() {
        return usage.during(
                () -> plans.values().stream().mapToLong(CompiledStep::bytes).sum());
    }

    /**
     * Compiles the step for placeholders of these shapes, runs nothing, and returns the memory of its plan in bytes, all that
     * it takes beside weights and their copies; empty if it cannot be compiled.
     */
    public OptionalLong stepBytes(Map<String, INDArray> placeholders) {
        return usage.during(() -> {
            CompiledStep step = step(true, List.of(loss), placeholders);
            return step == null ? OptionalLong.empty() : OptionalLong.of(step.bytes());
        });
    }

    /** Returns the memory of copies of frozen weights, rounded or packed, in bytes. */
    public long weightBytes() {
        return usage.during(frozen::bytes);
    }

    /** Starts to measure every kernel, which costs some microseconds a step; the profile grows with each call. */
    public Profile profile() {
        Profile current = profile == null ? new Profile() : profile;
        profile = current;
        return current;
    }

    /**
     * {@inheritDoc}
     *
     * @throws InvalidInputException if the placeholders do not fit the graph, the loss, or each other
     * @throws IllegalStateException if the engine is closed, or in use by another thread
     */
    @Override
    public Gradients gradients(Map<String, INDArray> placeholders) {
        return usage.during(() -> compute(placeholders));
    }

    private Gradients compute(Map<String, INDArray> placeholders) {
        Placeholders.requireElements(graph, List.of(loss), placeholders);
        CompiledStep step = step(true, List.of(loss), placeholders);
        Profile sample = times.next();
        long start = System.nanoTime();
        if (step == null) {
            Gradients gradients = byReference(placeholders);
            times.reference(System.nanoTime() - start, fallback);
            return gradients;
        }
        Gradients gradients = NamedRefusal.of(
                () -> step.gradients(placeholders, profile == null ? sample : profile),
                graph,
                placeholders,
                List.of(loss));
        times.compiled(System.nanoTime() - start);
        return gradients;
    }

    private Gradients byReference(Map<String, INDArray> placeholders) {
        try {
            return reference.gradients(placeholders);
        } catch (InvalidInputException e) {
            if (e.getCause() instanceof GradientGraph.UndifferentiableException) { // SameDiff does not say which op
                throw new InvalidInputException("this graph cannot be trained: " + fallback + "; " + e.getMessage(), e);
            }
            throw e;
        }
    }

    @Override
    public Optional<ExecutionReport> report() {
        return times.report(profile);
    }

    /**
     * {@inheritDoc}
     *
     * @throws InvalidInputException if there is no such output, or the placeholders do not fit the graph
     * @throws IllegalStateException if the engine is closed, or in use by another thread
     */
    @Override
    public Map<String, INDArray> outputs(Map<String, INDArray> placeholders, Collection<String> outputs) {
        for (String name : outputs) {
            if (!graph.hasVariable(name)) {
                throw new InvalidInputException(
                        "the graph has no variable `" + name + "`; its outputs are " + GraphOutputs.text(graph));
            }
        }
        return usage.during(() -> {
            CompiledStep step = step(false, outputs, placeholders);
            return step == null
                    ? reference.outputs(placeholders, outputs)
                    : NamedRefusal.of(() -> step.outputs(placeholders, profile), graph, placeholders, outputs);
        });
    }

    /** Returns the compiled step for these shapes, or null if there is none. */
    private @Nullable CompiledStep step(
            boolean backward, Collection<String> outputs, Map<String, INDArray> placeholders) {
        if (!target.isAvailable()) {
            return null;
        }
        if (!backward && placeholders.values().stream().anyMatch(array -> array != null && array.isEmpty())) {
            fallback = "a placeholder has no elements";
            return null; // few graphs have a result then, and SameDiff's own operations know which
        }
        Key shape = new Key(backward, new LinkedHashSet<>(outputs), shapes(placeholders), 0);
        Optional<LabelledRows.Mask> mask = masks.getOrDefault(shape, Optional.empty());
        Key key = shape.withRows(
                mask.map(found -> LabelledBatch.capacity(found, placeholders)).orElse(0L));
        CompiledStep step = plans.get(key);
        if (step != null && step.isCurrent()) {
            fallback = null;
            return step;
        }
        plans.values().removeIf(CompiledEngine::closeIfStale);
        if (backward) {
            objective.requirePresent(loss);
        }
        fallback = refusals.reason(shape);
        if (fallback != null) {
            return null;
        }
        Map<String, INDArray> folded = new LinkedHashMap<>();
        try {
            step = CompiledStep.compile(
                    graph, outputs, backward ? trainables : List.of(), placeholders, options, frozen, folded);
        } catch (UncompilableException e) {
            CompiledStep.requireFitting(graph, outputs, placeholders);
            fallback = refusals.add(shape, shape.title(), e, folded);
            return null;
        }
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
        placeholders.forEach((name, array) -> {
            if (array != null) { // refused where it is read
                shapes.put(name, Arrays.stream(array.shape()).boxed().toList());
            }
        });
        return shapes;
    }

    /**
     * Frees the memory of all plans.
     *
     * @throws IllegalStateException if a thread uses the engine; nothing is freed then
     */
    @Override
    public void close() {
        if (!usage.close()) {
            return;
        }
        plans.values().forEach(CompiledStep::close);
        plans.clear();
        frozen.close();
        target.close();
        reference.close();
    }
}
