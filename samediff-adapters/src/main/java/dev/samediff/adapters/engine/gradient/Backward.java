package dev.samediff.adapters.engine.gradient;

import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Shapes;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * The backward pass of a program: gradients of one scalar by some leaves. Nothing is computed for tensors that depend on
 * none of them, so neither for frozen weights nor below the first adapter.
 *
 * <p>Every input whose gradient is wanted gets one from the rule of its node, zeros if its derivative is zero; a rule that
 * leaves one out makes the program impossible to differentiate, never wrong.
 */
public final class Backward {
    private final ProgramBuilder builder;
    private final Set<Tensor> wanted;
    private final Map<Tensor, Contributions> contributions = new LinkedHashMap<>();
    /** The tensors that the rule at work has contributed to. */
    private final Set<Tensor> reached = new HashSet<>();

    private Backward(ProgramBuilder builder, Set<Tensor> wanted) {
        this.builder = builder;
        this.wanted = wanted;
    }

    /**
     * Adds the backward pass to a program.
     *
     * @param forward the program
     * @param loss name of the output to differentiate, a scalar
     * @param leaves names of the leaves to differentiate by
     * @param gradientName how the gradient of a leaf is called among the outputs
     * @return the program with the gradients as further outputs; a leaf the loss does not depend on has none
     * @throws UncompilableException if the derivative of an operation by something trainable is not known
     */
    public static Program of(
            Program forward, String loss, Collection<String> leaves, UnaryOperator<String> gradientName) {
        ProgramBuilder builder = new ProgramBuilder(forward);
        Backward backward = new Backward(builder, forward.trained(leaves));
        Tensor scalar = forward.output(loss);
        if (scalar.length() != 1) {
            throw new UncompilableException("the loss `" + loss + "` is " + scalar + ", not one number");
        }
        if (!scalar.isFloat()) {
            throw new UncompilableException("the loss `" + loss + "` is " + scalar.type()
                    + "; the compiled engine has derivatives of FLOAT only");
        }
        backward.add(scalar, builder.fill(1, scalar.shape()));
        List<Node> nodes = forward.nodes();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            backward.differentiate(nodes.get(i));
        }
        Map<String, Tensor> outputs = new LinkedHashMap<>(forward.outputs());
        for (String leaf : leaves) {
            Tensor tensor = forward.leaves().get(leaf);
            Contributions found = tensor == null ? null : backward.contributions.get(tensor);
            if (found != null) {
                outputs.put(gradientName.apply(leaf), found.sum(builder));
            }
        }
        return builder.build(outputs);
    }

    private void differentiate(Node node) {
        if (node.outputs().stream().noneMatch(contributions::containsKey)) {
            return;
        }
        reached.clear();
        Rules.of(node.op()).apply(node, gradient(node.output()), this);
        for (int i = 0; i < node.inputs().size(); i++) {
            Tensor input = node.input(i);
            if (wants(input) && !reached.contains(input)) {
                throw new UncompilableException("the gradient of input " + i + " (" + input + ") of "
                        + node.op().title() + " (" + node.output()
                        + ") is wanted, and the compiled engine has no derivative by it");
            }
        }
    }

    /** Returns the gradient of a result; zeros if the loss does not depend on it. */
    Tensor gradient(Tensor tensor) {
        Contributions found = contributions.get(tensor);
        return found == null ? builder.fill(0, tensor.shape()) : found.sum(builder);
    }

    ProgramBuilder builder() {
        return builder;
    }

    /** Tells whether the gradient of a tensor is needed. */
    boolean wants(Tensor tensor) {
        return wanted.contains(tensor);
    }

    /** Adds to the gradient of a tensor. */
    void add(Tensor tensor, Tensor gradient) {
        if (wants(tensor)) {
            reached.add(tensor);
            contributions.computeIfAbsent(tensor, Contributions::new).add(gradient);
        }
    }

    /** Adds to the gradient of a part of a tensor. */
    void add(Tensor tensor, int axis, long begin, Tensor gradient) {
        if (wants(tensor)) {
            reached.add(tensor);
            contributions.computeIfAbsent(tensor, Contributions::new).add(axis, begin, gradient);
        }
    }

    /** Returns a gradient summed over the axes along which a tensor was broadcast, leading ones included. */
    Tensor sumTo(Tensor gradient, Tensor like) {
        long[] shape = Shapes.withRank(gradient.rank(), like.shape());
        int[] axes = IntStream.range(0, gradient.rank())
                .filter(axis -> shape[axis] == 1 && gradient.size(axis) != 1)
                .toArray();
        return builder.reshape(builder.reduce(ReduceKind.SUM, gradient, axes, true), like.shape());
    }
}
