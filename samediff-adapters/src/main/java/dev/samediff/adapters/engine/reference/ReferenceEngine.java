package dev.samediff.adapters.engine.reference;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.graph.GradientGraph;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Executes a graph with SameDiff's own ops, one after the other: every op, every backend. Parameters and constants are
 * read from the graph anew in every call.
 */
public final class ReferenceEngine implements Engine {
    private final SameDiff graph;
    private final String loss;
    private final List<String> trainables;
    private final boolean half;
    private final boolean poison;
    private final Map<Set<String>, Runner> forward = new HashMap<>();
    private @Nullable GradientGraph gradientGraph;
    private @Nullable Runner backward;

    /**
     * Opens an engine; the gradient graph is derived at the first call of {@link #gradients}.
     *
     * @param graph the graph; it is not modified
     * @param loss the scalar variable to differentiate
     * @param trainables the VARIABLEs to differentiate it by
     */
    public ReferenceEngine(SameDiff graph, String loss, List<String> trainables) {
        this(graph, loss, trainables, false, false);
    }

    /**
     * Opens an engine with or without {@link HalfProducts}.
     *
     * @param poison see {@link ArrayPool}
     */
    public ReferenceEngine(SameDiff graph, String loss, List<String> trainables, boolean half, boolean poison) {
        this.graph = graph;
        this.loss = loss;
        this.trainables = List.copyOf(trainables);
        this.half = half;
        this.poison = poison;
    }

    @Override
    public Gradients gradients(Map<String, INDArray> placeholders) {
        if (gradientGraph == null || backward == null) {
            gradientGraph = GradientGraph.of(graph, loss, trainables);
            Set<String> wanted = new LinkedHashSet<>(gradientGraph.gradients().values());
            wanted.add(loss);
            backward = runner(gradientGraph.graph(), wanted);
        }
        Map<String, INDArray> results = backward.run(placeholders);
        Map<String, INDArray> gradients = new LinkedHashMap<>();
        for (String trainable : trainables) {
            String name = gradientGraph.gradients().get(trainable);
            INDArray parameter = graph.getArrForVarName(trainable);
            INDArray gradient = name == null ? null : results.get(name);
            if (gradient == null) {
                gradient = Nd4j.zeros(parameter.dataType(), parameter.shape());
            } else if (!Arrays.equals(gradient.shape(), parameter.shape())) {
                throw new IllegalStateException("the gradient of `" + trainable + "` has the shape "
                        + Arrays.toString(gradient.shape()) + ", the variable " + Arrays.toString(parameter.shape()));
            }
            gradients.put(trainable, gradient);
        }
        return new Gradients(scalar(results), gradients);
    }

    private double scalar(Map<String, INDArray> results) {
        INDArray value = results.get(loss);
        if (value == null || value.length() != 1) {
            throw new InvalidInputException("the loss `" + loss + "` must be a scalar, its shape is "
                    + (value == null ? "unknown" : Arrays.toString(value.shape())) + "; take its mean");
        }
        return value.getDouble(0);
    }

    @Override
    public Map<String, INDArray> outputs(Map<String, INDArray> placeholders, Collection<String> outputs) {
        Set<String> wanted = new LinkedHashSet<>(outputs);
        for (String name : wanted) {
            if (!graph.hasVariable(name)) {
                throw new InvalidInputException(
                        "the graph has no variable `" + name + "`; its outputs are " + graph.outputs());
            }
        }
        return forward.computeIfAbsent(wanted, names -> runner(graph, names)).run(placeholders);
    }

    private Runner runner(SameDiff executed, Collection<String> outputs) {
        if (!SessionRunner.isNeeded(executed, outputs)) {
            return new PlannedRunner(executed, graph, outputs, half, poison);
        }
        if (half) {
            throw new InvalidInputException("this graph has control flow or tensor arrays, which SameDiff's own session"
                    + " executes; half precision is not possible there, choose float32");
        }
        return new SessionRunner(executed, graph, outputs);
    }

    /** Returns how often each op occurs in the gradient graph, by op name. */
    public Map<String, Integer> gradientOps() {
        if (gradientGraph == null) {
            gradientGraph = GradientGraph.of(graph, loss, trainables);
        }
        Map<String, Integer> counts = new TreeMap<>();
        gradientGraph
                .graph()
                .getOps()
                .values()
                .forEach(op -> counts.merge(op.getOp().opName(), 1, Integer::sum));
        return counts;
    }

    @Override
    public void close() {
        forward.values().forEach(Runner::close);
        forward.clear();
        if (backward != null) {
            backward.close();
            backward = null;
            gradientGraph = null;
        }
    }
}
