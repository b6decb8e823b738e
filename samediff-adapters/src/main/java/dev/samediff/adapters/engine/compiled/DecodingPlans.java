package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.decoding.Cache;
import dev.samediff.adapters.engine.decoding.Decoding;
import dev.samediff.adapters.engine.fusion.Fusion;
import dev.samediff.adapters.engine.lowering.Lowering;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.engine.plan.Plan;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ReducedPrecision;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The plans of a decoder for one number of texts and one length: for whole texts, and for one position of each. */
final class DecodingPlans implements AutoCloseable {
    private final Decoding decoding;
    private final FrozenWeights frozen;
    private final PlanSource source;
    private final Plan step;
    private final LookupCheck lookups;
    /** Compiled when it is needed: texts that grow out of a shorter cache need none. */
    private @Nullable Plan prefill;

    private DecodingPlans(Decoding decoding, PlanSource source, FrozenWeights frozen, LookupCheck lookups) {
        this.decoding = decoding;
        this.source = source;
        this.frozen = frozen;
        this.lookups = lookups;
        this.step = frozen.compile(decoding.step());
    }

    /**
     * Compiles.
     *
     * @param placeholders arrays of the shapes to compile for
     * @throws UncompilableException if there can be no plan
     */
    static DecodingPlans compile(
            SameDiff graph,
            String ids,
            String logits,
            Map<String, INDArray> placeholders,
            EngineOptions options,
            FrozenWeights frozen) {
        Lowering.Lowered lowered =
                Lowering.lower(graph, List.of(logits), name -> Placeholders.get(graph.getVariable(name), placeholders));
        Program program = Fusion.layers(lowered.builder().build(lowered.outputs()), List.of());
        Tensor leaf = program.leaves().get(ids);
        if (leaf == null) {
            throw new UncompilableException("the logits `" + logits + "` do not depend on `" + ids + "`");
        }
        if (frozen.isReduced(options.precision())) {
            program = ReducedPrecision.apply(program, FrozenWeights.names(graph, program));
            leaf = program.leaves().get(ids);
        }
        return new DecodingPlans(
                Decoding.of(program, Objects.requireNonNull(leaf), logits),
                new PlanSource(graph, List.of(logits), lowered.folded(), program),
                frozen,
                new LookupCheck(program, name -> Placeholders.isOne(graph, name)));
    }

    /** Refuses token ids, and other numbers, that are no rows of the tables they are looked up in. */
    void check(Map<String, INDArray> placeholders) {
        lookups.check(placeholders);
    }

    PlanSource source() {
        return source;
    }

    List<Cache> caches() {
        return decoding.caches();
    }

    Plan step() {
        return step;
    }

    Plan prefill() {
        Plan plan = prefill == null ? frozen.compile(decoding.prefill()) : prefill;
        prefill = plan;
        return plan;
    }

    @Override
    public void close() {
        step.close();
        if (prefill != null) {
            prefill.close();
        }
    }
}
