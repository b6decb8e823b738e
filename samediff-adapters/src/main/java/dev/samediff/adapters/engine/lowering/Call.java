package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.nd4j.Dense;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.graph.ExecutionOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BaseOp;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;

/** One op of the graph while it is translated: its inputs, its arguments and the shapes ND4J gives its outputs. */
final class Call {
    private final ExecutionOrder.Node node;
    private final List<Value> inputs;
    private final List<LongShapeDescriptor> outputs;
    private final ProgramBuilder builder;

    Call(ExecutionOrder.Node node, List<Value> inputs, List<LongShapeDescriptor> outputs, ProgramBuilder builder) {
        this.node = node;
        this.inputs = inputs;
        this.outputs = outputs;
        this.builder = builder;
    }

    ProgramBuilder builder() {
        return builder;
    }

    ExecutionOrder.Node node() {
        return node;
    }

    String type() {
        return node.function().opName();
    }

    int inputCount() {
        return inputs.size();
    }

    Value value(int index) {
        return inputs.get(index);
    }

    /** Returns an input as a tensor; a known one becomes a literal. */
    Tensor input(int index) {
        Value value = inputs.get(index);
        INDArray known = value.known();
        if (known != null) {
            Ranks.require("input " + index + " of " + Lowering.describe(node), known.shape());
        }
        return known == null ? value.present() : builder.literal(node.inputs().get(index), Dense.of(known));
    }

    /** Returns all inputs as tensors. */
    List<Tensor> tensors() {
        List<Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            tensors.add(input(i));
        }
        return tensors;
    }

    /**
     * Refuses operands of which neither is repeated along an axis where they differ: ND4J's shape functions let some of them
     * pass, and its ops then refuse.
     */
    void requireBroadcast(long[] a, long[] b) {
        for (int i = 1; i <= Math.min(a.length, b.length); i++) {
            long left = a[a.length - i];
            long right = b[b.length - i];
            if (left != right && left != 1 && right != 1) {
                throw new UncompilableException(Lowering.describe(node) + " has operands of shapes "
                        + Arrays.toString(a) + " and " + Arrays.toString(b) + ", which do not fit each other");
            }
        }
    }

    boolean isKnown(int index) {
        return index < inputs.size() && inputs.get(index).isKnown();
    }

    /** Returns the numbers of a known input, none of any other. */
    long[] numbers(int index) {
        INDArray known = inputs.get(index).known();
        return known == null ? new long[0] : known.toLongVector();
    }

    long[] outputShape() {
        return outputs.get(0).getShape();
    }

    /** Tells whether all inputs and outputs are FLOAT. */
    boolean isFloat() {
        return inputs.stream().allMatch(value -> value.type() == DataType.FLOAT)
                && outputs.stream().allMatch(output -> output.dataType() == DataType.FLOAT);
    }

    long[] integers() {
        return node.function() instanceof CustomOp op ? op.iArgs() : new long[0];
    }

    long integer(int index, long otherwise) {
        long[] arguments = integers();
        return index < arguments.length ? arguments[index] : otherwise;
    }

    double[] numbers() {
        return node.function() instanceof CustomOp op ? op.tArgs() : new double[0];
    }

    /** Returns the number a legacy scalar op works with. */
    double scalar() {
        return ((ScalarOp) node.function()).scalar().getDouble(0);
    }

    /** Returns the axes of a legacy reduction, none for all of them. */
    int[] dimensions() {
        if (inputs.size() > 1) {
            return Arrays.stream(numbers(1)).mapToInt(Math::toIntExact).toArray();
        }
        INDArray dimensions = ((BaseOp) node.function()).dimensions();
        return dimensions == null || dimensions.isEmpty() ? new int[0] : dimensions.toIntVector();
    }
}
