package dev.samediff.adapters.graph;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Notices when the part of a graph that some outputs are computed by has changed: by the counter of {@link GraphVersion}, and,
 * for edits past the library, by a look at every op of this part. The look finds another op or another object under an op's
 * name, other inputs and outputs of an op, and another kind or type of a variable that no op computes; it does not find
 * attributes that were changed within an op, nor an op that another thread is editing. Not thread-safe.
 */
public final class StructureWatch {
    private final GraphVersion version;
    private final long counted;
    private final Map<String, SameDiffOp> present;
    private final Seen[] ops;
    private final Leaf[] leaves;

    private StructureWatch(GraphVersion version, Map<String, SameDiffOp> present, Seen[] ops, Leaf[] leaves) {
        this.version = version;
        this.counted = version.structure();
        this.present = present;
        this.ops = ops;
        this.leaves = leaves;
    }

    /** An op as it was. */
    private record Seen(
            String name, SameDiffOp op, DifferentialFunction function, List<String> inputs, List<String> outputs) {
        boolean isUnchanged(Map<String, SameDiffOp> present) {
            return present.get(name) == op
                    && op.getOp() == function
                    && same(inputs, op.getInputsToOp())
                    && same(outputs, op.getOutputsOfOp());
        }

        private static boolean same(List<String> then, @Nullable List<String> now) {
            return now == null ? then.isEmpty() : then.equals(now);
        }
    }

    /** A placeholder, constant or variable as it was. */
    private record Leaf(SDVariable variable, String name, VariableType kind, DataType type) {
        boolean isUnchanged() {
            return variable.getVariableType() == kind
                    && variable.dataType() == type
                    && variable.name().equals(name);
        }
    }

    /**
     * Remembers the present structure.
     *
     * @param graph the graph
     * @param outputs what is computed
     */
    public static StructureWatch of(SameDiff graph, Collection<String> outputs) {
        GraphVersion version = GraphVersion.of(graph);
        List<ExecutionOrder.Node> order = ExecutionOrder.of(graph, outputs);
        Set<String> read = new LinkedHashSet<>(outputs);
        order.forEach(node -> read.addAll(node.inputs()));
        order.forEach(node -> node.outputs().forEach(read::remove));
        Seen[] ops = order.stream()
                .map(node -> new Seen(
                        node.name(), Internals.op(graph, node.name()), node.function(), node.inputs(), node.outputs()))
                .toArray(Seen[]::new);
        Leaf[] leaves = read.stream()
                .map(graph::getVariable)
                .map(variable -> new Leaf(variable, variable.name(), variable.getVariableType(), variable.dataType()))
                .toArray(Leaf[]::new);
        return new StructureWatch(version, graph.getOps(), ops, leaves);
    }

    /** Tells whether this part of the graph is as it was. */
    public boolean isUnchanged() {
        if (version.structure() != counted) {
            return false;
        }
        for (Seen op : ops) {
            if (!op.isUnchanged(present)) {
                return false;
            }
        }
        for (Leaf leaf : leaves) {
            if (!leaf.isUnchanged()) {
                return false;
            }
        }
        return true;
    }
}
