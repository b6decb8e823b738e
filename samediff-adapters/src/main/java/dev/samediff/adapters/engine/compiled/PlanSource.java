package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ReducedPrecision;
import dev.samediff.adapters.graph.StructureWatch;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The part of a graph that a plan was compiled from, and whether the graph is still like that. */
final class PlanSource {
    private final SameDiff graph;
    private final StructureWatch structure;
    private final FoldedConstants constants;
    private final Map<String, Weight> weights = new LinkedHashMap<>();
    /** What the last look found, until the plan has run: every look-up by name costs. */
    private final Map<String, INDArray> arrays = new HashMap<>();

    private record Weight(DataType type, long[] shape) {}

    /**
     * Remembers the graph as it is.
     *
     * @param graph the graph
     * @param outputs the variables that the plan computes
     * @param folded constants that the program was computed with
     * @param program the program, whose leaves are the weights that are read at every run
     */
    PlanSource(SameDiff graph, Collection<String> outputs, Map<String, INDArray> folded, Program program) {
        this.graph = graph;
        this.structure = StructureWatch.of(graph, outputs);
        this.constants = new FoldedConstants(graph, folded);
        program.leaves().forEach((leaf, tensor) -> {
            boolean reduced = leaf.endsWith(ReducedPrecision.SUFFIX);
            String name = variable(leaf);
            if (graph.hasVariable(name) && !graph.getVariable(name).isPlaceHolder()) {
                weights.put(name, new Weight(reduced ? DataType.FLOAT : tensor.type(), tensor.shape()));
            }
        });
    }

    /** Returns the variable of the graph that a leaf of a program is, or is a rounded copy of. */
    static String variable(String leaf) {
        return leaf.endsWith(ReducedPrecision.SUFFIX)
                ? leaf.substring(0, leaf.length() - ReducedPrecision.SUFFIX.length())
                : leaf;
    }

    /** Says what of the graph does not fit the plan any more; values of weights may be any. */
    Optional<String> change() {
        if (!structure.isUnchanged()) {
            return Optional.of("its structure");
        }
        for (Map.Entry<String, Weight> entry : weights.entrySet()) {
            INDArray now = graph.getArrForVarName(entry.getKey());
            if (now == null
                    || now.dataType() != entry.getValue().type()
                    || !Arrays.equals(now.shape(), entry.getValue().shape())) {
                return Optional.of("the shape or type of `" + entry.getKey() + "`");
            }
            arrays.put(entry.getKey(), now);
        }
        return constants.changed().map(name -> "the constant `" + name + "`");
    }

    boolean isCurrent() {
        return change().isEmpty();
    }

    /** Tells whether an array is one of the graph's constants, and not made for the plan. */
    boolean holds(INDArray array) {
        return constants.holds(array);
    }

    /** Returns the variables that the plan reads at every run. */
    Set<String> weights() {
        return weights.keySet();
    }

    /** Returns the present array of a variable. */
    INDArray array(String variable) {
        @Nullable INDArray known = arrays.get(variable);
        return known == null ? graph.getArrForVarName(variable) : known;
    }

    /** Lets go of the arrays that were read. */
    void release() {
        arrays.clear();
    }
}
