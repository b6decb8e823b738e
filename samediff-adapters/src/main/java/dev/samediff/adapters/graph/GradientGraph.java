package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;

/**
 * Forward and backward pass of one loss in one graph, with everything removed that the gradients of the trainable
 * variables do not need: gradients of frozen weights, the backward pass below the first trainable layer, other losses.
 *
 * <p>SameDiff itself computes the weight gradient of every matmul, also when the weight is a constant; for a model with
 * adapters that is a third of the arithmetic.
 *
 * @param graph the gradient graph; it shares the arrays of the graph it was derived from
 * @param loss name of the loss in it
 * @param gradients name of the gradient variable by trainable variable; a trainable the loss does not depend on is
 *     absent
 */
public record GradientGraph(SameDiff graph, String loss, Map<String, String> gradients) {
    private static final String FUNCTION = "grad";

    /** SameDiff cannot differentiate a loss. */
    public static final class UndifferentiableException extends RuntimeException {
        private static final long serialVersionUID = 1;

        UndifferentiableException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Derives the gradient graph. The given graph keeps its loss variables and its own gradient function.
     *
     * @param graph the graph to differentiate
     * @param loss a scalar floating point variable of it
     * @param trainables VARIABLEs of it
     * @throws InvalidInputException if a name does not exist or has the wrong kind, or if no trainable influences the
     *     loss
     * @throws UndifferentiableException if SameDiff has no derivative of something on the way
     */
    public static GradientGraph of(SameDiff graph, String loss, Collection<String> trainables) {
        return of(graph, loss, trainables, List.of());
    }

    /**
     * Derives the gradient graph of what is trained and of what is fed.
     *
     * @param inputs floating point PLACEHOLDERs whose gradients are wanted too
     * @see #of(SameDiff, String, Collection)
     */
    public static GradientGraph of(
            SameDiff graph, String loss, Collection<String> trainables, Collection<String> inputs) {
        check(graph, loss, trainables);
        inputs.forEach(input -> requireKind(graph, input, VariableType.PLACEHOLDER));
        SameDiff derived;
        try {
            derived = differentiate(graph, loss, inputs);
        } catch (
                RuntimeException
                        e) { // what SameDiff throws where it has no derivative: of five kinds, also null pointers
            if (String.valueOf(e.getMessage()).contains("does not contain any trainable")) {
                throw independent(loss, trainables, e);
            }
            throw new UndifferentiableException(
                    "the loss `" + loss + "` cannot be differentiated by SameDiff: " + e.getMessage(), e);
        }
        Map<String, String> gradients = new LinkedHashMap<>();
        Set<String> sources = new LinkedHashSet<>(trainables);
        sources.addAll(inputs);
        for (String trainable : sources) {
            SDVariable gradient = derived.getGradForVariable(trainable);
            if (gradient != null) {
                gradients.put(trainable, gradient.name());
            }
        }
        if (gradients.isEmpty()) {
            throw independent(loss, trainables, null);
        }
        Set<String> wanted = new LinkedHashSet<>(gradients.values());
        wanted.add(loss);
        Pruning.prune(derived, wanted);
        return new GradientGraph(derived, loss, Map.copyOf(gradients));
    }

    private static InvalidInputException independent(
            String loss, Collection<String> trainables, @Nullable Exception cause) {
        return new InvalidInputException(
                "the loss `" + loss + "` depends on none of the " + trainables.size() + " trainable variables "
                        + Names.some(trainables) + "; name a loss computed from them",
                cause);
    }

    private static void check(SameDiff graph, String loss, Collection<String> trainables) {
        if (!graph.hasVariable(loss) || graph.getVariable(loss).getVariableType() != VariableType.ARRAY) {
            throw new InvalidInputException("the loss `" + loss
                    + "` is not a computed variable of this graph; its outputs are " + GraphOutputs.text(graph));
        }
        if (trainables.isEmpty()) {
            throw new InvalidInputException("there is nothing to train: the list of trainable variables is empty");
        }
        trainables.forEach(name -> requireKind(graph, name, VariableType.VARIABLE));
    }

    private static void requireKind(SameDiff graph, String name, VariableType kind) {
        if (!graph.hasVariable(name)) {
            throw new InvalidInputException("the trainable variable `" + name + "` does not exist in this graph");
        }
        SDVariable variable = graph.getVariable(name);
        if (variable.getVariableType() != kind || !variable.dataType().isFPType()) {
            throw new InvalidInputException("`" + name + "` is a " + variable.getVariableType() + " of type "
                    + variable.dataType() + "; only floating point " + kind + "s can be "
                    + (kind == VariableType.VARIABLE ? "trained" : "differentiated by"));
        }
    }

    /**
     * SameDiff has one gradient function, defined by its loss variables; this takes it out of the graph again and puts
     * back what was there.
     */
    private static SameDiff differentiate(SameDiff graph, String loss, Collection<String> inputs) {
        List<String> losses = List.copyOf(graph.getLossVariables());
        SameDiff previous = graph.getFunction(FUNCTION);
        try {
            graph.setLossVariables(loss);
            Chatter.silence("Added differentiated op", () -> graph.createGradFunction(inputs.toArray(String[]::new)));
            return graph.getFunction(FUNCTION);
        } finally {
            graph.setLossVariables(losses.toArray(String[]::new));
            if (previous != null) {
                graph.putSubFunction(FUNCTION, previous);
            }
        }
    }
}
