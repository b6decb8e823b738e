package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.plan.Plan;
import dev.samediff.adapters.engine.plan.PlanCompiler;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ReducedPrecision;
import java.util.HashSet;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an engine makes of weights that no training changes: rounded copies and those of its target, made anew when a weight has changed. */
final class FrozenWeights implements AutoCloseable {
    private final SameDiff graph;
    private final Target target;
    private final RoundedWeights reduced;
    private final WeightWatch watch;

    /**
     * Creates it; nothing is copied yet.
     *
     * @param graph the graph
     * @param target keeps copies of its own; the caller closes it
     */
    FrozenWeights(SameDiff graph, Target target) {
        this(graph, target, new ReducedWeights(graph, target));
    }

    /** Creates it with rounded copies that somebody keeps. */
    FrozenWeights(SameDiff graph, Target target, RoundedWeights reduced) {
        this.graph = graph;
        this.target = target;
        this.reduced = reduced;
        this.watch = new WeightWatch(graph);
    }

    /** Compiles a program whose products may use the copies. */
    Plan compile(Program program) {
        return PlanCompiler.compile(program, target, names(graph, program));
    }

    /** Tells whether weights are rounded. */
    boolean isReduced(Precision precision) {
        return precision.isReduced(target.multipliesBfloat16());
    }

    /** Returns the leaves of a program that no training changes, rounded ones included. */
    static Set<String> names(SameDiff graph, Program program) {
        Set<String> frozen = new HashSet<>(program.leaves().keySet());
        frozen.removeIf(name -> {
            String variable = PlanSource.variable(name);
            return !graph.hasVariable(variable) || !graph.getVariable(variable).isConstant();
        });
        return frozen;
    }

    private static boolean isRounded(String leaf) {
        return leaf.endsWith(ReducedPrecision.SUFFIX);
    }

    /**
     * Returns the array of a leaf that is no placeholder, and lets copies of it expire if it is another than it was.
     *
     * @param leaf name in the program
     * @param array the present array of the graph's variable
     */
    INDArray get(String leaf, INDArray array) {
        if (isRounded(leaf)) {
            return reduced.get(PlanSource.variable(leaf), array, () -> target.expire(leaf));
        }
        if (target.hasCopy(leaf) && watch.hasChanged(leaf, array)) {
            target.expire(leaf);
        }
        return array;
    }

    /** Returns the memory of all copies in bytes. */
    long bytes() {
        return reduced.bytes() + target.copyBytes();
    }

    @Override
    public void close() {
        reduced.close();
    }
}
