package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.plan.Conversion;
import dev.samediff.adapters.engine.plan.RoundedCopy;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.plan.TargetCopies;
import dev.samediff.adapters.memory.FileBackedArrays;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Copies of frozen weights, packed or rounded, that several engines read together, each in a thread of its own: there is one of
 * each, however many engines there are. The engines' graphs are copies of one graph: what is shared are the constants whose arrays they
 * have in common with it, and nobody changes these while an engine is open. Other constants, such as those of an adapter, are an engine's
 * own. Thread-safe; closed after the engines.
 */
public final class SharedCopies implements AutoCloseable {
    private final SameDiff base;
    private final TargetCopies packed = Targets.copies();
    private final Map<String, RoundedCopy> rounded = new HashMap<>();

    /**
     * Makes it; nothing is copied yet.
     *
     * @param base the graph that the engines' graphs are copies of
     */
    public SharedCopies(SameDiff base) {
        this.base = base;
    }

    /** What one engine reads. */
    record View(Target target, RoundedWeights rounded) {}

    /** Opens what one engine reads. */
    View open(SameDiff graph, EngineOptions options) {
        Map<String, Boolean> known = new HashMap<>();
        Predicate<String> isShared =
                leaf -> known.computeIfAbsent(PlanSource.variable(leaf), variable -> isCommon(graph, variable));
        Target target = packed.open(options.threads(), options.packed(), isShared);
        return new View(target, new Rounded(new ReducedWeights(graph, target), isShared, target));
    }

    private boolean isCommon(SameDiff graph, String variable) {
        if (!isConstant(base, variable) || !isConstant(graph, variable)) {
            return false;
        }
        INDArray one = base.getArrForVarName(variable);
        INDArray other = graph.getArrForVarName(variable);
        return one == other
                || (one.data() == other.data()
                        && one.offset() == other.offset()
                        && one.shapeInfoJava().length == other.shapeInfoJava().length
                        && Arrays.equals(one.shapeInfoJava(), other.shapeInfoJava()));
    }

    private static boolean isConstant(SameDiff graph, String variable) {
        return graph.hasVariable(variable) && graph.getVariable(variable).isConstant();
    }

    /** Rounded weights as one engine sees them: common ones, and its own. */
    private final class Rounded implements RoundedWeights {
        private final RoundedWeights own;
        private final Predicate<String> isShared;
        private final Target target;

        Rounded(RoundedWeights own, Predicate<String> isShared, Target target) {
            this.own = own;
            this.isShared = isShared;
            this.target = target;
        }

        @Override
        public INDArray get(String variable, INDArray source, Runnable onChange) {
            return isShared.test(variable) ? round(variable, source, target) : own.get(variable, source, onChange);
        }

        @Override
        public long bytes() {
            return own.bytes(); // common ones are counted once, by their owner
        }

        @Override
        public void close() {
            own.close();
        }
    }

    private synchronized INDArray round(String variable, INDArray source, Target target) {
        return rounded.computeIfAbsent(variable, name -> {
                    RoundedCopy made = Conversion.toBfloat16(source, target);
                    FileBackedArrays.release(source);
                    return made;
                })
                .array();
    }

    /** Returns the memory of all copies in bytes. */
    public synchronized long bytes() {
        return packed.bytes()
                + rounded.values().stream().mapToLong(RoundedCopy::bytes).sum();
    }

    /** Gives the memory back; every engine that reads the copies has been closed before. */
    @Override
    public synchronized void close() {
        packed.close();
        rounded.values().forEach(RoundedCopy::close);
        rounded.clear();
    }
}
