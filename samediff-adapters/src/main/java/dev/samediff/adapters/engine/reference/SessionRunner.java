package dev.samediff.adapters.engine.reference;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.nd4j.LossInputs;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.graph.Dropout;
import dev.samediff.adapters.graph.EmbeddingNoise;
import dev.samediff.adapters.graph.ExecutionOrder;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.nd4j.autodiff.listeners.At;
import org.nd4j.autodiff.listeners.Operation;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.autodiff.samediff.internal.memory.NoOpMemoryMgr;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.custom.Invoke;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.Enter;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.Exit;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.LoopCond;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.Merge;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.NextIteration;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.Switch;
import org.nd4j.linalg.api.ops.impl.layers.ExternalErrorsFunction;
import org.nd4j.linalg.api.ops.impl.shape.CreateView;
import org.nd4j.linalg.api.ops.impl.shape.tensorops.BaseTensorOp;
import org.nd4j.linalg.api.ops.impl.transforms.Assert;
import org.nd4j.linalg.api.ops.impl.transforms.custom.Assign;
import org.nd4j.linalg.api.ops.impl.transforms.gradient.GradientBackwardsMarker;

/**
 * SameDiff's own interpreter, for graphs with control flow, tensor arrays or in-place ops. Its memory is left to the
 * garbage collector, because {@code ArrayCacheMemoryMgr} corrupts some graphs.
 */
final class SessionRunner implements Runner {
    private static final Set<Class<?>> SPECIAL = Set.of(
            Enter.class,
            Exit.class,
            NextIteration.class,
            Merge.class,
            Switch.class,
            LoopCond.class,
            Invoke.class,
            Assert.class,
            Assign.class,
            CreateView.class,
            ExternalErrorsFunction.class,
            GradientBackwardsMarker.class);

    private final SameDiff graph;
    private final SameDiff source;
    private final List<String> outputs;
    private final List<LossInputs> fed;
    private final InferenceSession session;

    /** Opens a session; the parameters are those of {@link PlannedRunner}. */
    SessionRunner(SameDiff graph, SameDiff source, Collection<String> outputs, List<LossInputs> fed) {
        this.fed = fed;
        this.graph = graph;
        this.source = source;
        this.outputs = List.copyOf(outputs);
        this.session = new InferenceSession(graph);
        session.setMmgr(new NoOpMemoryMgr());
    }

    /** Tells whether the outputs need an op that only SameDiff's session can execute. */
    static boolean isNeeded(SameDiff graph, Collection<String> outputs) {
        return ExecutionOrder.of(graph, outputs).stream()
                .map(ExecutionOrder.Node::function)
                .anyMatch(op -> SPECIAL.stream().anyMatch(type -> type.isInstance(op))
                        || op instanceof BaseTensorOp
                        || !(op instanceof CustomOp || op instanceof Op));
    }

    @Override
    public Map<String, INDArray> run(Map<String, INDArray> placeholders) {
        if (!Dropout.draws(placeholders).isEmpty()
                || !EmbeddingNoise.among(placeholders).isEmpty()) {
            throw new InvalidInputException("this graph has control flow or tensor arrays, which SameDiff's own session"
                    + " executes; dropout and NEFTune are not possible there: train the adapter without them");
        }
        Map<String, INDArray> values = new HashMap<>();
        for (String name : graph.inputs()) {
            if (placeholders.containsKey(name)) {
                values.put(name, Placeholders.get(graph.getVariable(name), placeholders));
            }
        }
        refresh();
        Map<String, INDArray> results = session.output(
                outputs,
                values,
                null,
                List.of(),
                List.of(new InputCheck(placeholders, Placeholders.withoutElements(graph, outputs, placeholders), fed)),
                At.builder().operation(Operation.INFERENCE).build());
        Map<String, INDArray> owned = new LinkedHashMap<>();
        outputs.forEach(name ->
                owned.put(name, Objects.requireNonNull(results.get(name), name).dup('c')));
        return owned;
    }

    /** A gradient graph keeps references to arrays; the graph it came from may have got others since. */
    private void refresh() {
        if (source == graph) {
            return;
        }
        for (SDVariable variable : graph.variables()) {
            if ((variable.isConstant() || variable.getVariableType() == VariableType.VARIABLE)
                    && source.hasVariable(variable.name())) {
                INDArray current = source.getArrForVarName(variable.name());
                if (current != null && current != graph.getArrForVarName(variable.name())) {
                    graph.setArrayForVariable(variable.name(), current);
                }
            }
        }
    }

    @Override
    public void close() {
        // the session holds nothing but garbage-collected arrays
    }
}
