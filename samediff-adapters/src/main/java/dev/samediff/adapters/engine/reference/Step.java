package dev.samediff.adapters.engine.reference;

import dev.samediff.adapters.engine.nd4j.NativeOp;
import dev.samediff.adapters.graph.ExecutionOrder;
import java.util.List;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;

/** One op of a plan: where its inputs and outputs lie, and how it is executed. */
final class Step {
    final DifferentialFunction op;
    final int[] inputs;
    final int[] outputs;
    final boolean[] needed;
    final DataType[] types;
    /** Slots nobody reads after this step. */
    int[] lastUses = {};

    private final NativeOp call;

    Step(SameDiff graph, ExecutionOrder.Node node, int[] inputs, int[] outputs, boolean[] needed) {
        this.call = new NativeOp(graph, node);
        this.op = node.function();
        this.types = call.types();
        this.inputs = inputs;
        this.outputs = outputs;
        this.needed = needed;
    }

    /** See {@link NativeOp#bind}. */
    List<LongShapeDescriptor> bind(INDArray[] arrays, boolean byShape) {
        return call.bind(arrays, byShape);
    }

    /** See {@link NativeOp#execute}. */
    INDArray[] execute(INDArray[] results) {
        return call.execute(results);
    }

    /** See {@link NativeOp#multiply}. */
    void multiply(INDArray x, INDArray y, INDArray result) {
        call.multiply(x, y, result);
    }
}
