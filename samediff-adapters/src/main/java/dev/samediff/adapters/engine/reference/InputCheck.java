package dev.samediff.adapters.engine.reference;

import dev.samediff.adapters.engine.nd4j.LossInputs;
import dev.samediff.adapters.engine.nd4j.NativeOp;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.graph.ExecutionOrder;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.listeners.At;
import org.nd4j.autodiff.listeners.BaseListener;
import org.nd4j.autodiff.listeners.Operation;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Refuses in SameDiff's own session what {@link PlannedRunner} refuses: places outside, empty arrays, labels that do not fit. */
final class InputCheck extends BaseListener {
    private final Map<String, INDArray> placeholders;
    private final List<String> withoutElements;
    private final List<LossInputs> fed;

    InputCheck(Map<String, INDArray> placeholders, List<String> withoutElements, List<LossInputs> fed) {
        this.placeholders = placeholders;
        this.withoutElements = withoutElements;
        this.fed = fed;
    }

    @Override
    public boolean isActive(Operation operation) {
        return true;
    }

    @Override
    public void preOpExecution(SameDiff graph, At at, SameDiffOp op, @Nullable OpContext context) {
        if (context == null) {
            return; // control flow, which computes nothing
        }
        INDArray[] inputs = context.getInputArrays().toArray(INDArray[]::new);
        if (!withoutElements.isEmpty() && !EmptyArrays.arePossible(op.getOp().opName(), inputs)) {
            throw Placeholders.noElements(withoutElements.get(0), placeholders);
        }
        NativeOp.checkPlaces(
                graph,
                new ExecutionOrder.Node(op.getName(), op.getOp(), orEmpty(op.getInputsToOp()), List.of()),
                context);
    }

    @Override
    public void opExecution(
            SameDiff graph, At at, MultiDataSet batch, SameDiffOp op, @Nullable OpContext context, INDArray[] outputs) {
        List<String> names = orEmpty(op.getOutputsOfOp());
        fed.forEach(inputs -> {
            int index = names.indexOf(inputs.logits());
            if (index >= 0) {
                inputs.check(placeholders, outputs[index].shape());
            }
        });
    }

    private static List<String> orEmpty(List<String> names) {
        return names == null ? List.of() : names;
    }
}
