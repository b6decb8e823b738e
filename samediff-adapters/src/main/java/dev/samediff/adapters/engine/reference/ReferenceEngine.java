package dev.samediff.adapters.engine.reference;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.Usage;
import dev.samediff.adapters.engine.nd4j.LossInputs;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.graph.GradientGraph;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
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
    private final Usage usage = new Usage("reference engine", "open one engine for each thread");
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
        return usage.during(() -> compute(placeholders));
    }

    private Gradients compute(Map<String, INDArray> placeholders) {
        if (gradientGraph == null || backward == null) {
            gradientGraph = derive();
            Set<String> wanted = new LinkedHashSet<>(gradientGraph.gradients().values());
            wanted.add(loss);
            backward = runner(gradientGraph.graph(), wanted);
        }
        Placeholders.requireElements(graph, List.of(loss), placeholders);
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
        INDArray value = Objects.requireNonNull(results.get(loss), loss);
        LossInputs.requireScalar(loss, value.shape());
        return value.getDouble(0);
    }

    /** A graph that SameDiff cannot differentiate is not for training, whoever built it. */
    private GradientGraph derive() {
        try {
            return GradientGraph.of(graph, loss, trainables);
        } catch (GradientGraph.UndifferentiableException e) {
            throw new InvalidInputException(e.getMessage() + "; take ops with a derivative", e);
        }
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
        return usage.during(() ->
                forward.computeIfAbsent(wanted, names -> runner(graph, names)).run(placeholders));
    }

    private Runner runner(SameDiff executed, Collection<String> outputs) {
        Optional<LossInputs> fed = outputs.contains(loss) ? LossInputs.of(graph, loss) : Optional.empty();
        if (!SessionRunner.isNeeded(executed, outputs)) {
            return new PlannedRunner(executed, graph, outputs, fed, half, poison);
        }
        if (half) {
            throw new InvalidInputException("this graph has control flow or tensor arrays, which SameDiff's own session"
                    + " executes; half precision is not possible there, choose float32");
        }
        return new SessionRunner(executed, graph, outputs, fed);
    }

    /** Returns how often each op occurs in the gradient graph, by op name. */
    public Map<String, Integer> gradientOps() {
        if (gradientGraph == null) {
            gradientGraph = derive();
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
        if (!usage.close()) {
            return;
        }
        forward.values().forEach(Runner::close);
        forward.clear();
        if (backward != null) {
            backward.close();
            backward = null;
            gradientGraph = null;
        }
    }
}
