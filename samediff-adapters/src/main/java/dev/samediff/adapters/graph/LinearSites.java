package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;

/**
 * Finds the linear layers of a graph: a matmul of an activation (something that depends on a placeholder) with a rank-2
 * VARIABLE or CONSTANT, {@code x W} or {@code x W^T}; and stacks of them, one matrix for each expert in a rank-3 one.
 */
public final class LinearSites {
    private static final List<String> WEIGHT_SUFFIXES =
            List.of(".weight", "/weight", "/kernel", ".kernel", "_weight", "/W", ".W", "_W");

    private final SameDiff graph;
    private final Map<String, String> modulePathsByWeight;
    private final Set<String> activations;
    private final Map<String, List<LinearSite.Use>> uses = new LinkedHashMap<>();
    private final Map<String, Orientation> orientations = new LinkedHashMap<>();
    private final Map<String, String> reasons = new LinkedHashMap<>();
    private final OtherWeights others;

    private LinearSites(SameDiff graph, Map<String, String> modulePathsByWeight) {
        this.graph = graph;
        this.modulePathsByWeight = modulePathsByWeight;
        this.activations = dependingOnPlaceholders(graph);
        this.others = new OtherWeights(graph, activations);
    }

    /** Returns the layers that can be adapted; module paths are the weights' names without {@code .weight}. */
    public static List<LinearSite> scan(SameDiff graph) {
        return scan(graph, Map.of());
    }

    /**
     * Returns the layers that can be adapted.
     *
     * @param graph the graph, not modified
     * @param modulePathsByWeight module path by weight variable; others are named by their weight
     * @throws InvalidInputException if the map names a variable that the graph lacks
     */
    public static List<LinearSite> scan(SameDiff graph, Map<String, String> modulePathsByWeight) {
        return layers(graph, modulePathsByWeight).sites();
    }

    /** Like {@link #scan(SameDiff, Map)}, with the weights that cannot be adapted and why. */
    public static LinearLayers layers(SameDiff graph, Map<String, String> modulePathsByWeight) {
        modulePathsByWeight.keySet().stream()
                .filter(weight -> !graph.hasVariable(weight))
                .findFirst()
                .ifPresent(weight -> {
                    throw new InvalidInputException("the module paths name the weight `" + weight
                            + "`, which the graph does not have; pass the map that belongs to this graph");
                });
        return new LinearSites(graph, modulePathsByWeight).scanOps();
    }

    /** Returns the module path that a weight's name implies: the name without {@code .weight} and the like. */
    public static String modulePath(String weight) {
        return WEIGHT_SUFFIXES.stream()
                .filter(suffix -> weight.endsWith(suffix) && weight.length() > suffix.length())
                .map(suffix -> weight.substring(0, weight.length() - suffix.length()))
                .findFirst()
                .orElse(weight);
    }

    private LinearLayers scanOps() {
        for (SameDiffOp op : graph.getOps().values()) {
            List<String> inputs = Internals.inputs(op);
            switch (op.getOp().opName()) {
                case "matmul", "mmul" -> scanMatmul(op, inputs);
                case "xw_plus_b", "linear_layer", "relu_layer" -> scanFused(op, inputs);
                default -> others.lookWithin(op, inputs);
            }
        }
        graph.getOps().values().forEach(this::scanConstantInput);
        others.reasons().forEach((weight, reason) -> {
            if (!uses.containsKey(weight)) {
                reasons.putIfAbsent(weight, reason);
            }
        });
        return collect();
    }

    /**
     * A layer may be used on stored numbers, too, as on a table of relative positions; its branch goes there as well. One that is
     * used on nothing else is a layer if the caller knows it as one: of two stored matrices either may be the weight.
     */
    private void scanConstantInput(SameDiffOp op) {
        List<String> inputs = Internals.inputs(op);
        boolean product =
                op.getOp().opName().equals("matmul") || op.getOp().opName().equals("mmul");
        if (!product || activations.contains(inputs.get(0)) || inputs.get(0).equals(inputs.get(1))) {
            return;
        }
        Optional<Orientation> orientation = orientation(op);
        if (modulePathsByWeight.containsKey(inputs.get(1))
                && isWeight(inputs.get(1))) { // so somebody knows which one is it
            orientation.ifPresent(found -> orientations.putIfAbsent(inputs.get(1), found));
            uses.computeIfAbsent(inputs.get(1), weight -> new ArrayList<>());
        }
        List<LinearSite.Use> known = uses.get(inputs.get(1));
        if (known != null && orientation.isPresent() && orientations.get(inputs.get(1)) == orientation.get()) {
            known.add(new LinearSite.Use(
                    op.getName(), inputs.get(0), op.getOutputsOfOp().get(0)));
        }
    }

    private void scanMatmul(SameDiffOp op, List<String> inputs) {
        String left = inputs.get(0);
        String right = inputs.get(1);
        if (isStack(graph.getVariable(right)) && activations.contains(left)) {
            scanRight(op, left, right);
            return;
        }
        boolean weightRight = isWeight(right) && activations.contains(left);
        boolean weightLeft = isWeight(left) && activations.contains(right);
        if (weightLeft) {
            reasons.putIfAbsent(
                    left,
                    "it is the left operand of the matmul `" + op.getName()
                            + "`; only x W and x W^T are linear layers");
        }
        if (!weightRight) {
            boolean computedRight = activations.contains(left) && !activations.contains(right);
            boolean computedLeft = activations.contains(right) && !activations.contains(left) && !weightLeft;
            if (computedRight || computedLeft) {
                others.lookAtOperand(op, computedRight ? right : left);
            }
            return;
        }
        scanRight(op, left, right);
    }

    /** A product of an activation with a stored matrix, or with one for each expert. */
    private void scanRight(SameDiffOp op, String left, String right) {
        Optional<Orientation> orientation = orientation(op);
        if (orientation.isEmpty()) {
            reasons.putIfAbsent(right, "the matmul `" + op.getName() + "` transposes its input or its result");
            return;
        }
        Orientation before = orientations.putIfAbsent(right, orientation.get());
        if (before != null && before != orientation.get()) {
            reasons.putIfAbsent(right, "it is used both as x W and as x W^T");
        }
        uses.computeIfAbsent(right, w -> new ArrayList<>())
                .add(new LinearSite.Use(op.getName(), left, op.getOutputsOfOp().get(0)));
    }

    /** {@code x W + b} as one op; {@link FusedLayers} takes it apart before an adapter is put on it. */
    private void scanFused(SameDiffOp op, List<String> inputs) {
        String weight = inputs.size() > 1 ? inputs.get(1) : "";
        if (!isWeight(weight) || !activations.contains(inputs.get(0))) {
            return;
        }
        if (!FusedLayers.isOne(op)) {
            reasons.putIfAbsent(
                    weight,
                    "it is inside the op `" + op.getOp().opName()
                            + "`, turned round; build the layer from mmul and add");
            return;
        }
        Orientation before = orientations.putIfAbsent(weight, Orientation.IN_OUT);
        if (before == Orientation.OUT_IN) {
            reasons.putIfAbsent(weight, "it is used both as x W and as x W^T");
        }
        uses.computeIfAbsent(weight, w -> new ArrayList<>())
                .add(new LinearSite.Use(
                        op.getName(), inputs.get(0), op.getOutputsOfOp().get(0)));
    }

    private static Optional<Orientation> orientation(SameDiffOp op) {
        long[] flags = op.getOp() instanceof Mmul mmul ? mmul.iArgs() : new long[0];
        boolean transposeX = flags.length > 0 && flags[0] != 0;
        boolean transposeY = flags.length > 1 && flags[1] != 0;
        boolean transposeZ = flags.length > 2 && flags[2] != 0;
        if (transposeX || transposeZ) {
            return Optional.empty();
        }
        return Optional.of(transposeY ? Orientation.OUT_IN : Orientation.IN_OUT);
    }

    private LinearLayers collect() {
        List<LinearSite> sites = new ArrayList<>();
        List<ExpertSite> stacks = new ArrayList<>();
        Set<String> modules = new HashSet<>();
        uses.forEach((weight, matmuls) -> {
            rejectForeignUses(weight, matmuls);
            if (reasons.containsKey(weight)) {
                return;
            }
            String module = path(weight);
            if (!modules.add(module)) {
                module = weight; // two weights of one module path: the second keeps its full name
                modules.add(module);
            }
            Orientation orientation = orientations.getOrDefault(weight, Orientation.IN_OUT);
            long[] shape =
                    orientation.asInOut(graph.getVariable(weight).getArr()).shape();
            if (shape.length == 3) {
                stacks.add(new ExpertSite(
                        module, weight, orientation, (int) shape[0], (int) shape[1], (int) shape[2], matmuls));
            } else {
                sites.add(new LinearSite(
                        module,
                        weight,
                        orientation,
                        (int) shape[0],
                        (int) shape[1],
                        matmuls,
                        ConvolutionKernels.of(graph, weight)));
            }
        });
        List<LinearLayers.Rejected> rejected = reasons.entrySet().stream()
                .map(e -> new LinearLayers.Rejected(path(e.getKey()), e.getKey(), e.getValue()))
                .toList();
        return new LinearLayers(sites, stacks, rejected);
    }

    /** A residual in place of the weight would change every other op that reads it, such as an embedding lookup. */
    private void rejectForeignUses(String weight, List<LinearSite.Use> matmuls) {
        Set<String> known = new HashSet<>();
        matmuls.forEach(use -> known.add(use.op()));
        for (String reader : Internals.readers(graph, weight)) {
            if (!known.contains(reader)) {
                reasons.putIfAbsent(
                        weight,
                        "its weight `" + weight + "` is also read by the op `" + reader + "` ("
                                + Internals.op(graph, reader).getOp().opName()
                                + "), as a tied embedding is, and would change there too; untie it by giving the layer a copy"
                                + " of the weight");
            }
        }
    }

    private String path(String weight) {
        String path = modulePathsByWeight.get(weight);
        return path == null ? modulePath(weight) : path;
    }

    private boolean isWeight(String name) {
        return isWeight(graph.getVariable(name));
    }

    /** Tells whether a variable is a stored floating-point matrix. */
    static boolean isWeight(@Nullable SDVariable variable) {
        return isStored(variable, 2);
    }

    /** Tells whether a variable holds a floating-point matrix for each of several experts. */
    static boolean isStack(@Nullable SDVariable variable) {
        return isStored(variable, 3);
    }

    private static boolean isStored(@Nullable SDVariable variable, int rank) {
        if (variable == null
                || (variable.getVariableType() != VariableType.VARIABLE
                        && variable.getVariableType() != VariableType.CONSTANT)) {
            return false;
        }
        DataType type = variable.dataType();
        return (type == DataType.FLOAT || type == DataType.DOUBLE)
                && variable.getArr() != null
                && variable.getArr().rank() == rank;
    }

    /** The variables that placeholders have an influence on, the placeholders among them. */
    static Set<String> dependingOnPlaceholders(SameDiff graph) {
        Set<String> reached = new HashSet<>(graph.inputs());
        Deque<String> open = new ArrayDeque<>(reached);
        while (!open.isEmpty()) {
            List<String> readers = Internals.readers(graph, open.pop());
            for (String reader : readers) {
                for (String output : Internals.op(graph, reader).getOutputsOfOp()) {
                    if (reached.add(output)) {
                        open.push(output);
                    }
                }
            }
        }
        return reached;
    }
}
