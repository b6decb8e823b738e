package dev.samediff.adapters.graph;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;

/** Stored numbers that multiply activations and are no matrix of a linear layer, with the reason and what to do. */
final class OtherWeights {
    private static final Set<String> CONVOLUTIONS =
            Set.of("conv1d", "conv2d", "conv3dnew", "depthwise_conv2d", "sconv2d", "deconv2d", "deconv3d");
    private static final Set<String> PRODUCTS = Set.of("matmul", "mmul", "gather");
    private static final Set<String> ATTENTION = Set.of("multi_head_dot_product_attention");

    private final SameDiff graph;
    private final Set<String> activations;
    private final Map<String, String> reasons = new LinkedHashMap<>();

    /**
     * Starts without any.
     *
     * @param activations the variables that placeholders have an influence on
     */
    OtherWeights(SameDiff graph, Set<String> activations) {
        this.graph = graph;
        this.activations = activations;
    }

    /** Returns the reasons by weight; some may be layers elsewhere. */
    Map<String, String> reasons() {
        return reasons;
    }

    /** Looks for weights that an op holds in a form that is no matrix. */
    void lookWithin(SameDiffOp op, List<String> inputs) {
        String type = op.getOp().opName();
        if (CONVOLUTIONS.contains(type)) {
            reject(
                    op,
                    inputs,
                    "is the kernel of a convolution; take the patches out (im2col) and multiply by the kernel as a matrix");
        } else if (ATTENTION.contains(type)) {
            reject(op, inputs, "is inside of an attention op; build the attention from mmul, softmax and mmul");
        }
    }

    private void reject(SameDiffOp op, List<String> inputs, String reason) {
        if (inputs.stream().anyMatch(activations::contains)) {
            inputs.stream()
                    .filter(input -> isStored(input, 2))
                    .forEach(weight -> reasons.putIfAbsent(
                            weight,
                            "it " + reason + " (op `" + op.getName() + "`, "
                                    + op.getOp().opName() + ")"));
        }
    }

    /** Looks at what a product multiplies an activation by: several matrices at once, or what is computed from stored ones. */
    void lookAtOperand(SameDiffOp op, String operand) {
        if (isStored(operand, 3)) {
            reasons.putIfAbsent(
                    operand,
                    "it holds several matrices "
                            + Arrays.toString(
                                    graph.getVariable(operand).getArr().shape()) + " of the matmul `"
                            + op.getName() + "`; adapters go on single matrices");
            return;
        }
        String maker = Internals.variable(graph, operand).getOutputOfOp();
        if (maker == null) {
            return;
        }
        for (String weight : storedBehind(operand)) {
            reasons.putIfAbsent(
                    weight,
                    "the matmul `" + op.getName() + "` multiplies by what `" + maker + "` ("
                            + Internals.op(graph, maker).getOp().opName()
                            + ") computes from it, not by it; multiply by a stored matrix");
        }
    }

    /** The stored matrices that a variable is computed from; what another product or lookup makes is no weight. */
    private Set<String> storedBehind(String variable) {
        Set<String> found = new LinkedHashSet<>();
        Set<String> seen = new HashSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(variable));
        while (!open.isEmpty()) {
            String name = open.pop();
            if (!seen.add(name)) {
                continue;
            }
            if (isStored(name, 2)) {
                found.add(name);
            }
            String maker = Internals.variable(graph, name).getOutputOfOp();
            if (maker != null
                    && !PRODUCTS.contains(Internals.op(graph, maker).getOp().opName())) {
                open.addAll(Internals.inputs(Internals.op(graph, maker)));
            }
        }
        return found;
    }

    /** Whether a variable holds floating-point numbers with that many axes at least, none of the last two of size 1. */
    private boolean isStored(String name, int leastRank) {
        SDVariable variable = graph.getVariable(name);
        boolean stored = variable != null
                && (variable.getVariableType() == VariableType.VARIABLE
                        || variable.getVariableType() == VariableType.CONSTANT);
        if (!stored || !variable.dataType().isFPType() || variable.getArr() == null) {
            return false;
        }
        long[] shape = variable.getArr().shape();
        return shape.length >= leastRank && shape[shape.length - 1] > 1 && shape[shape.length - 2] > 1;
    }
}
