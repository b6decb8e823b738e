package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.fusion.Fusion;
import dev.samediff.adapters.engine.fusion.LabelledRows;
import dev.samediff.adapters.engine.gradient.Backward;
import dev.samediff.adapters.engine.lowering.Lowering;
import dev.samediff.adapters.engine.nd4j.LossInputs;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.engine.plan.Plan;
import dev.samediff.adapters.engine.plan.Profile;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramCheck;
import dev.samediff.adapters.engine.program.Recomputation;
import dev.samediff.adapters.engine.program.ReducedPrecision;
import dev.samediff.adapters.graph.Dropout;
import dev.samediff.adapters.graph.EmbeddingNoise;
import dev.samediff.adapters.memory.NativeBlock;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A plan with the graph it reads from, for one set of shapes. */
final class CompiledStep implements AutoCloseable {
    private static final String GRADIENT = "gradient of ";

    private final SameDiff graph;
    private final List<String> outputs;
    private final List<String> trainables;
    private final PlanSource source;
    private final Plan plan;
    private final FrozenWeights frozen;
    private final Optional<LabelledRows.Mask> mask;
    private final long rows;
    private final LookupCheck lookups;
    private final List<Fed> fed;

    /** What a loss is fed with, and the shape of the scores that it must fit. */
    private record Fed(LossInputs inputs, long[] scores) {}

    private CompiledStep(
            SameDiff graph,
            List<String> outputs,
            List<String> trainables,
            PlanSource source,
            Plan plan,
            FrozenWeights frozen,
            Optional<LabelledRows.Mask> mask,
            long rows,
            List<Fed> fed) {
        this.graph = graph;
        this.outputs = outputs;
        this.trainables = trainables;
        this.source = source;
        this.plan = plan;
        this.frozen = frozen;
        this.mask = mask;
        this.rows = rows;
        this.fed = fed;
        this.lookups = new LookupCheck(plan.program(), name -> Placeholders.isOne(graph, name));
    }

    /**
     * Compiles for the shapes of these placeholders, and for as many labelled rows as they have.
     *
     * @param folded gets the constants that were computed with, also if nothing can be compiled
     * @throws UncompilableException if there can be no plan
     */
    static CompiledStep compile(
            SameDiff graph,
            Collection<String> outputs,
            List<String> trainables,
            Map<String, INDArray> placeholders,
            EngineOptions options,
            FrozenWeights frozen,
            Map<String, INDArray> folded) {
        NativeBlock.trim(); // the system gets back what import and injection have freed, before there is a new arena
        Lowering.Lowered lowered = lowered(graph, outputs, placeholders, folded);
        if (!trainables.isEmpty()) {
            String loss = outputs.iterator().next();
            LossInputs.requireScalar(loss, lowered.shape(loss).orElseThrow());
        }
        List<Fed> fed = fed(graph, outputs, lowered);
        fed.forEach(found -> found.inputs().check(placeholders, found.scores()));
        Program lowest = ProgramCheck.afterRewrite(lowered.builder().build(lowered.outputs()), "lowering");
        Program program = Fusion.layers(lowest, trainables);
        Optional<LabelledRows.Mask> mask =
                LabelledRows.find(program).filter(found -> placeholders.containsKey(found.leaf()));
        long rows =
                mask.map(found -> LabelledBatch.capacity(found, placeholders)).orElse(0L);
        if (mask.isPresent() && rows < mask.get().rows()) {
            program = ProgramCheck.afterRewrite(LabelledRows.apply(program, rows), "labelled rows");
        }
        program = Fusion.attention(program, trainables);
        if (!trainables.isEmpty()) {
            String loss = outputs.iterator().next();
            program = Backward.of(program, loss, trainables, name -> GRADIENT + name);
            program = Fusion.products(ProgramCheck.afterRewrite(program, "differentiation"));
        }
        if (frozen.isReduced(options.precision())) {
            program = ReducedPrecision.apply(program, FrozenWeights.names(graph, program));
            ProgramCheck.afterRewrite(program, "reduced precision");
        }
        if (options.recompute() && !trainables.isEmpty()) {
            program = Recomputation.apply(program, outputs.iterator().next()); // checked by the plan's compiler
        }
        return new CompiledStep(
                graph,
                List.copyOf(outputs),
                trainables,
                new PlanSource(graph, outputs, folded, program),
                frozen.compile(program),
                frozen,
                mask,
                rows,
                fed);
    }

    private static Lowering.Lowered lowered(
            SameDiff graph,
            Collection<String> outputs,
            Map<String, INDArray> placeholders,
            Map<String, INDArray> folded) {
        try {
            return Lowering.lower(
                    graph,
                    outputs,
                    name -> Placeholders.get(graph.getVariable(name), placeholders),
                    Stream.of(Dropout.draws(placeholders), EmbeddingNoise.among(placeholders))
                            .flatMap(Set::stream)
                            .collect(Collectors.toSet()),
                    folded);
        } catch (UncompilableException | InvalidInputException e) {
            throw e;
        } catch (RuntimeException e) { // what ND4J says of shapes that do not fit names no variable
            requireFitting(graph, outputs, placeholders);
            throw e;
        }
    }

    /**
     * Refuses labels and weights that do not fit the scores, when nothing could be compiled: that may be why.
     *
     * @throws InvalidInputException if they do not fit
     */
    static void requireFitting(SameDiff graph, Collection<String> outputs, Map<String, INDArray> placeholders) {
        for (LossInputs inputs : LossInputs.among(graph, outputs)) {
            try {
                Lowering.lower(
                                graph,
                                List.of(inputs.logits()),
                                name -> Placeholders.get(graph.getVariable(name), placeholders))
                        .shape(inputs.logits())
                        .ifPresent(scores -> inputs.check(placeholders, scores));
            } catch (UncompilableException e) {
                // the scores are why; the reference engine compares when it has them
            }
        }
    }

    private static List<Fed> fed(SameDiff graph, Collection<String> outputs, Lowering.Lowered lowered) {
        return LossInputs.among(graph, outputs).stream()
                .flatMap(inputs -> lowered.shape(inputs.logits()).map(shape -> new Fed(inputs, shape)).stream())
                .toList();
    }

    /** Returns where the loss gets its weights from, if rows of weight 0 may be left out. */
    Optional<LabelledRows.Mask> mask() {
        return mask;
    }

    /** Returns for how many labelled rows this was compiled; 0 without a mask. */
    long rows() {
        return rows;
    }

    /** Tells whether the graph is still what the plan was compiled from. */
    boolean isCurrent() {
        return source.isCurrent();
    }

    Plan plan() {
        return plan;
    }

    /**
     * Returns the memory that this step takes beside the graph's arrays, the placeholders and copies of frozen weights, in
     * bytes: intermediate results, working memory of kernels, and what was computed when it was compiled.
     */
    long bytes() {
        long literals = plan.literals().stream()
                .filter(array -> !source.holds(array))
                .mapToLong(array -> array.length() * array.dataType().width())
                .sum();
        return plan.arenaBytes() + plan.workspaceBytes() + literals;
    }

    Engine.Gradients gradients(Map<String, INDArray> placeholders, @Nullable Profile profile) {
        Map<String, INDArray> results = run(placeholders, profile);
        Map<String, INDArray> gradients = new LinkedHashMap<>();
        for (String trainable : trainables) {
            boolean present = plan.program().outputs().containsKey(GRADIENT + trainable);
            INDArray parameter = graph.getArrForVarName(trainable);
            gradients.put(
                    trainable,
                    present
                            ? Objects.requireNonNull(results.get(GRADIENT + trainable))
                            : Nd4j.zeros(parameter.dataType(), parameter.shape()));
        }
        try (INDArray loss = Objects.requireNonNull(results.get(outputs.get(0)))) {
            return new Engine.Gradients(loss.getDouble(0), gradients);
        }
    }

    Map<String, INDArray> outputs(Map<String, INDArray> placeholders, @Nullable Profile profile) {
        Map<String, INDArray> results = run(placeholders, profile);
        Map<String, INDArray> values = new LinkedHashMap<>();
        outputs.forEach(name -> values.put(name, Objects.requireNonNull(results.get(name))));
        return values;
    }

    private Map<String, INDArray> run(Map<String, INDArray> placeholders, @Nullable Profile profile) {
        fed.forEach(found -> found.inputs().check(placeholders, found.scores()));
        lookups.check(placeholders);
        try {
            return plan.run(name -> leaf(name, placeholders), profile);
        } finally {
            source.release();
        }
    }

    private INDArray leaf(String name, Map<String, INDArray> placeholders) {
        if (name.equals(LabelledRows.LEAF)) {
            return LabelledBatch.numbers(mask.orElseThrow(), placeholders, rows);
        }
        INDArray given = placeholders.get(name);
        if (given != null && !graph.hasVariable(name)) {
            return given; // a draw of dropout, or noise
        }
        return Placeholders.isOne(graph, name)
                ? Placeholders.get(graph.getVariable(name), placeholders)
                : frozen.get(name, source.array(PlanSource.variable(name)));
    }

    @Override
    public void close() {
        plan.close();
    }
}
