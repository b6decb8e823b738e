package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.kernel.PackedMatrices;
import dev.samediff.adapters.engine.plan.Plan;
import dev.samediff.adapters.engine.plan.PlanCompiler;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ReducedPrecision;
import java.util.HashSet;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an engine makes of weights that no training changes: rounded and packed copies, made anew when a weight has changed. */
final class FrozenWeights implements AutoCloseable {
    private final SameDiff graph;
    private final boolean keepsPacked;
    private final ReducedWeights reduced;
    private final PackedMatrices packed = new PackedMatrices();
    private final WeightWatch watch;

    /**
     * Creates it; nothing is copied yet.
     *
     * @param graph the graph
     * @param keepsPacked whether packed copies are kept
     */
    FrozenWeights(SameDiff graph, boolean keepsPacked) {
        this.graph = graph;
        this.keepsPacked = keepsPacked;
        this.reduced = new ReducedWeights(graph);
        this.watch = new WeightWatch(graph);
    }

    /** Compiles a program whose products may use the copies. */
    Plan compile(Program program) {
        return keepsPacked
                ? PlanCompiler.compile(program, packed, names(graph, program))
                : PlanCompiler.compile(program);
    }

    /** Returns the leaves of a program that no training changes. */
    static Set<String> names(SameDiff graph, Program program) {
        Set<String> frozen = new HashSet<>(program.leaves().keySet());
        frozen.removeIf(
                name -> !graph.hasVariable(name) || !graph.getVariable(name).isConstant());
        return frozen;
    }

    /**
     * Returns the array of a leaf that is no placeholder, and lets copies of it expire if it is another than it was.
     *
     * @param leaf name in the program
     * @param array the present array of the graph's variable
     */
    INDArray get(String leaf, INDArray array) {
        if (leaf.endsWith(ReducedPrecision.SUFFIX)) {
            return reduced.get(PlanSource.variable(leaf), array);
        }
        packed.find(leaf).ifPresent(matrix -> {
            if (watch.hasChanged(leaf, array)) {
                matrix.expire();
            }
        });
        return array;
    }

    /** Returns the memory of all copies in bytes. */
    long bytes() {
        return reduced.bytes() + packed.bytes();
    }

    @Override
    public void close() {
        reduced.close();
        packed.close();
    }
}
