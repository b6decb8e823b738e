package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.nd4j.NativeOp;
import dev.samediff.adapters.graph.ExecutionOrder;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;

/** The shapes of an op's outputs, as ND4J's shape functions give them, for inputs of which some have no values yet. */
final class OutputShapes {
    private static final int[] CONTENTS = {0, 1, 3};

    private OutputShapes() {}

    /**
     * Returns the shapes.
     *
     * @throws UncompilableException if they depend on values that are not known
     * @throws InvalidInputException if the op reads outside of an input
     */
    static List<LongShapeDescriptor> of(ExecutionOrder.Node node, NativeOp op, List<Value> inputs) {
        boolean byValue = inputs.stream()
                .anyMatch(value -> !value.isKnown() && !value.type().isFPType());
        List<LongShapeDescriptor> first = shapes(node, op, inputs, CONTENTS[0]);
        for (int i = 1; byValue && i < CONTENTS.length; i++) {
            if (!same(first, shapes(node, op, inputs, CONTENTS[i]))) {
                throw new UncompilableException(
                        "the shape of `" + node.outputs().get(0) + "` (op `" + node.name() + "`, "
                                + node.function().opName() + ") depends on data");
            }
        }
        if (first.stream().anyMatch(LongShapeDescriptor::isEmpty)) {
            throw new UncompilableException("`" + node.outputs().get(0) + "` (op `" + node.name() + "`, "
                    + node.function().opName() + ") is empty");
        }
        return first;
    }

    private static List<LongShapeDescriptor> shapes(
            ExecutionOrder.Node node, NativeOp op, List<Value> inputs, int content) {
        INDArray[] arrays =
                inputs.stream().map(value -> Dummies.of(value, content)).toArray(INDArray[]::new);
        try {
            return List.copyOf(op.bind(arrays, false));
        } catch (InvalidInputException e) {
            throw e; // no engine can
        } catch (RuntimeException e) { // ND4J's shape functions say no in whatever way, also for want of the data
            throw new UncompilableException(
                    "the shape of `" + node.outputs().get(0) + "` (op `" + node.name() + "`, "
                            + node.function().opName() + ") cannot be known before the data: " + e.getMessage(),
                    e);
        } finally {
            for (int i = 0; i < arrays.length; i++) {
                if (!inputs.get(i).isKnown()) {
                    arrays[i].close();
                }
            }
        }
    }

    private static boolean same(List<LongShapeDescriptor> a, List<LongShapeDescriptor> b) {
        for (int i = 0; i < a.size(); i++) {
            if (!Arrays.equals(a.get(i).getShape(), b.get(i).getShape())) {
                return false;
            }
        }
        return a.size() == b.size();
    }
}
