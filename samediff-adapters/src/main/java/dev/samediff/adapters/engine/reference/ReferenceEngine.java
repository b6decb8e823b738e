package dev.samediff.adapters.engine.reference;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.Usage;
import dev.samediff.adapters.engine.nd4j.LossInputs;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.graph.GradientGraph;
import dev.samediff.adapters.graph.GraphOutputs;
import dev.samediff.adapters.graph.Objective;
import dev.samediff.adapters.graph.StructureWatch;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    private final List<String> inputs;
    private final boolean half;
    private final boolean poison;
    private final Usage usage = new Usage("reference engine", "open one engine for each thread");
    private final Objective objective;
    private final Map<Set<String>, Forward> forward = new HashMap<>();
    private @Nullable Backward backward;

    /** How some outputs are computed, as long as the graph's structure stays. */
    private record Forward(StructureWatch structure, Runner runner) {}

    /** How the gradients are computed, as long as the graph's structure stays. */
    private record Backward(StructureWatch structure, GradientGraph graph, Runner runner) {}

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
        this(graph, loss, trainables, List.of(), half, poison);
    }

    private ReferenceEngine(
            SameDiff graph, String loss, List<String> trainables, List<String> inputs, boolean half, boolean poison) {
        this.graph = graph;
        this.loss = loss;
        this.trainables = List.copyOf(trainables);
        this.inputs = List.copyOf(inputs);
        this.half = half;
        this.poison = poison;
        this.objective = Objective.of(graph, loss, trainables);
    }

    /**
     * Opens an engine whose gradients are those of what is trained and of what is fed.
     *
     * @param graph the graph; it is not modified
     * @param loss the scalar variable to differentiate
     * @param trainables the VARIABLEs to differentiate it by
     * @param inputs floating point placeholders to differentiate it by
     */
    public static ReferenceEngine withInputs(
            SameDiff graph, String loss, List<String> trainables, List<String> inputs) {
        return new ReferenceEngine(graph, loss, trainables, inputs, false, false);
    }

    @Override
    public Gradients gradients(Map<String, INDArray> placeholders) {
        return usage.during(() -> compute(placeholders));
    }

    private Gradients compute(Map<String, INDArray> placeholders) {
        Backward current = backward();
        Placeholders.requireElements(graph, List.of(loss), placeholders);
        Map<String, INDArray> results = current.runner().run(placeholders);
        Map<String, INDArray> gradients = new LinkedHashMap<>();
        for (String trainable : trainables) {
            gradients.put(trainable, gradient(current, results, trainable, graph.getArrForVarName(trainable)));
        }
        for (String input : inputs) {
            gradients.put(
                    input, gradient(current, results, input, Objects.requireNonNull(placeholders.get(input), input)));
        }
        return new Gradients(scalar(results), gradients);
    }

    /** The gradient by an array; zeros if the loss does not depend on it. */
    private static INDArray gradient(Backward current, Map<String, INDArray> results, String of, INDArray array) {
        String name = current.graph().gradients().get(of);
        INDArray gradient = name == null ? null : results.get(name);
        if (gradient == null) {
            return Nd4j.zeros(array.dataType(), array.shape());
        }
        if (!Arrays.equals(gradient.shape(), array.shape())) {
            throw new IllegalStateException("the gradient of `" + of + "` has the shape "
                    + Arrays.toString(gradient.shape()) + ", the array " + Arrays.toString(array.shape()));
        }
        return gradient;
    }

    private Backward backward() {
        Backward known = backward;
        if (known != null && known.structure().isUnchanged()) {
            return known;
        }
        objective.requirePresent(loss);
        GradientGraph derived = derive();
        Set<String> wanted = new LinkedHashSet<>(derived.gradients().values());
        wanted.add(loss);
        Backward made = new Backward(StructureWatch.of(graph, List.of(loss)), derived, runner(derived.graph(), wanted));
        if (known != null) {
            known.runner().close();
        }
        backward = made;
        return made;
    }

    private double scalar(Map<String, INDArray> results) {
        INDArray value = Objects.requireNonNull(results.get(loss), loss);
        LossInputs.requireScalar(loss, value.shape());
        return value.getDouble(0);
    }

    /** A graph that SameDiff cannot differentiate is not for training, whoever built it. */
    private GradientGraph derive() {
        try {
            return GradientGraph.of(graph, loss, trainables, inputs);
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
                        "the graph has no variable `" + name + "`; its outputs are " + GraphOutputs.text(graph));
            }
        }
        return usage.during(() -> forward(wanted).runner().run(placeholders));
    }

    private Forward forward(Set<String> wanted) {
        Forward known = forward.get(wanted);
        if (known == null || !known.structure().isUnchanged()) {
            forward.values().removeIf(ReferenceEngine::closeIfStale);
            known = new Forward(StructureWatch.of(graph, wanted), runner(graph, wanted));
            forward.put(wanted, known);
        }
        return known;
    }

    private static boolean closeIfStale(Forward known) {
        boolean stale = !known.structure().isUnchanged();
        if (stale) {
            known.runner().close();
        }
        return stale;
    }

    private Runner runner(SameDiff executed, Collection<String> outputs) {
        List<LossInputs> fed = LossInputs.among(executed, outputs);
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
        Map<String, Integer> counts = new TreeMap<>();
        backward()
                .graph()
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
        forward.values().forEach(known -> known.runner().close());
        forward.clear();
        if (backward != null) {
            backward.runner().close();
            backward = null;
        }
    }
}
