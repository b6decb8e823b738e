package dev.samediff.adapters.engine.reference;

import dev.samediff.adapters.engine.nd4j.NativeOp;
import dev.samediff.adapters.graph.ExecutionOrder;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;

/**
 * A forward product with a frozen weight in half precision: {@code y = float(half(x) half(W))}. Everything else stays
 * float32, the gradient with respect to x included, because gradients of a mean over many tokens are smaller than the
 * smallest half. The weight is rounded in every run: that costs little beside the product, and no copy can be out of date.
 */
public final class HalfProducts {
    private final NativeOp product;

    HalfProducts(ExecutionOrder.Node node) {
        product = new NativeOp(
                (DynamicCustomOp) node.function(),
                new DataType[] {DataType.HALF},
                node.inputs().size());
    }

    /**
     * Tells whether an op is a product of a float32 activation and a frozen float32 matrix in the forward pass.
     *
     * @param graph the graph that is executed
     * @param source the graph without its derivative
     * @param node an op of the executed graph
     */
    public static boolean isOne(SameDiff graph, SameDiff source, ExecutionOrder.Node node) {
        return node.function() instanceof Mmul
                && node.inputs().size() == 2
                && source.hasVariable(node.outputs().get(0))
                && node.inputs().stream()
                        .allMatch(name -> graph.getVariable(name).dataType() == DataType.FLOAT)
                && node.inputs().stream()
                                .filter(name -> isFrozenMatrix(graph.getVariable(name)))
                                .count()
                        == 1;
    }

    private static boolean isFrozenMatrix(SDVariable variable) {
        return variable.getVariableType() == VariableType.CONSTANT
                && variable.getArr() != null
                && variable.getArr().rank() == 2;
    }

    /** Executes in place of the step's op. */
    void execute(Step step, INDArray[] in, PlannedRunner runner) {
        Storage[] rounded = new Storage[2];
        INDArray[] operands = new INDArray[2];
        for (int i = 0; i < 2; i++) {
            rounded[i] = runner.borrow(DataType.HALF, in[i].shape());
            operands[i] = rounded[i].shaped(in[i].shape()).assign(in[i]);
        }
        long[] shape = product.bind(operands, true).get(0).getShape();
        Storage result = runner.borrow(DataType.HALF, shape);
        product.execute(new INDArray[] {result.shaped(shape)});
        runner.allocate(step, 0, shape, false).assign(result.shaped(shape));
        List.of(rounded[0], rounded[1], result).forEach(runner::giveBack);
    }
}
