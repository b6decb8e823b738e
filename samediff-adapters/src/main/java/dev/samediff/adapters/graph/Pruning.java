package dev.samediff.adapters.graph;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.autodiff.samediff.internal.Variable;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;

/** Removes from a gradient graph what its wanted variables do not need. */
final class Pruning {
    private static final String MATMUL_GRADIENT = "matmul_bp";

    private Pruning() {}

    /**
     * Removes dead ops and replaces every {@code matmul_bp} of which one result is unused by the one matmul that gives
     * the other.
     */
    static void prune(SameDiff graph, Collection<String> wanted) {
        boolean changed = true;
        while (changed) {
            removeDeadOps(graph, wanted);
            changed = false;
            for (SameDiffOp op : graph.getOps().values()) {
                if (op.getOp().opName().equals(MATMUL_GRADIENT)) {
                    changed |= halve(graph, op, wanted);
                }
            }
        }
    }

    private static void removeDeadOps(SameDiff graph, Collection<String> wanted) {
        Map<String, SameDiffOp> ops = graph.getOps();
        Set<String> live = new LinkedHashSet<>();
        Set<String> variables = new LinkedHashSet<>();
        Deque<String> open = new ArrayDeque<>(wanted);
        while (!open.isEmpty()) {
            String name = open.remove();
            if (!variables.add(name)) {
                continue;
            }
            Variable variable = Objects.requireNonNull(graph.getVariables().get(name), name);
            addAll(open, variable.getControlDeps());
            String producer = variable.getOutputOfOp();
            if (producer != null && live.add(producer)) {
                SameDiffOp op = Objects.requireNonNull(ops.get(producer), producer);
                addAll(open, op.getInputsToOp());
                addAll(open, op.getControlDeps());
                addAll(open, op.getVarControlDeps());
                variables.addAll(op.getOutputsOfOp());
            }
        }
        ops.keySet().retainAll(live);
        graph.getVariables()
                .values()
                .removeIf(v ->
                        v.getVariable().getVariableType() == VariableType.ARRAY && !variables.contains(v.getName()));
        Map<String, List<String>> consumers = new LinkedHashMap<>();
        for (SameDiffOp op : ops.values()) {
            if (op.getInputsToOp() != null) {
                for (String input : new LinkedHashSet<>(op.getInputsToOp())) {
                    consumers.computeIfAbsent(input, k -> new ArrayList<>()).add(op.getName());
                }
            }
        }
        for (Variable variable : graph.getVariables().values()) {
            variable.setInputsForOp(consumers.getOrDefault(variable.getName(), new ArrayList<>()));
        }
    }

    private static void addAll(Deque<String> open, List<String> names) {
        if (names != null) {
            open.addAll(names);
        }
    }

    /**
     * For C = A' B' with A' = a or a^T, B' = b or b^T and G the gradient of C: dA' = G B'^T, dB' = A'^T G, each
     * transposed as its operand was.
     */
    private static boolean halve(SameDiff graph, SameDiffOp op, Collection<String> wanted) {
        String a = op.getInputsToOp().get(0);
        String b = op.getInputsToOp().get(1);
        String g = op.getInputsToOp().get(2);
        String da = op.getOutputsOfOp().get(0);
        String db = op.getOutputsOfOp().get(1);
        boolean needsA = used(graph, da, wanted);
        boolean needsB = used(graph, db, wanted);
        if (needsA == needsB || isVector(graph, a) || isVector(graph, b)) {
            return false;
        }
        boolean ta = flag(op, 0);
        boolean tb = flag(op, 1);
        boolean tg = flag(op, 2);
        if (needsA) {
            replace(graph, op, da, ta ? new Product(b, tb, g, !tg) : new Product(g, tg, b, !tb));
        } else {
            replace(graph, op, db, tb ? new Product(g, !tg, a, ta) : new Product(a, !ta, g, tg));
        }
        graph.getVariables().remove(needsA ? db : da);
        return true;
    }

    private static boolean used(SameDiff graph, String name, Collection<String> wanted) {
        return wanted.contains(name)
                || !Objects.requireNonNull(graph.getVariables().get(name), name)
                        .getInputsForOp()
                        .isEmpty();
    }

    /** The gradient of a product with a vector is an outer product, which one matmul cannot express. */
    private static boolean isVector(SameDiff graph, String name) {
        long[] shape = graph.getVariable(name).getShape();
        return shape != null && shape.length < 2;
    }

    private static boolean flag(SameDiffOp op, int index) {
        long[] arguments = ((CustomOp) op.getOp()).iArgs();
        return index < arguments.length && arguments[index] != 0;
    }

    private static void replace(SameDiff graph, SameDiffOp op, String result, Product product) {
        Mmul matmul = new Mmul();
        matmul.addIArgument(product.transposeLeft ? 1 : 0, product.transposeRight ? 1 : 0, 0);
        matmul.addTArgument(1.0, 0.0);
        matmul.configureFromArguments();
        matmul.setSameDiff(graph);
        matmul.setOwnName(op.getName());
        op.setOp(matmul);
        op.setInputsToOp(new ArrayList<>(List.of(product.left, product.right)));
        op.setOutputsOfOp(new ArrayList<>(List.of(result)));
    }

    private record Product(String left, boolean transposeLeft, String right, boolean transposeRight) {}
}
