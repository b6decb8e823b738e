package dev.samediff.adapters.engine.gradient;

import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.lowering.Lowering;
import dev.samediff.adapters.engine.nd4j.NativeOp;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.graph.OpGradient;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.DynamicCustomOp;

/** What the engine has no derivative of its own for: ND4J's, op by op. */
final class Nd4jRules {
    private Nd4jRules() {}

    /** An op that stayed ND4J's gets SameDiff's backward pass of this one op, translated like any other graph. */
    static void op(Node node, Tensor gradient, Backward backward) {
        NativeOp op = ((Op.Nd4j) node.op()).call();
        requireFloat(node, backward);
        if (node.inputs().stream().noneMatch(input -> input.isFloat() && backward.wants(input))) {
            return;
        }
        List<OpGradient.Port> inputs =
                node.inputs().stream().map(input -> port(input, backward)).toList();
        List<OpGradient.Port> outputs =
                node.outputs().stream().map(output -> port(output, backward)).toList();
        OpGradient derivative;
        try {
            derivative = OpGradient.of(op.op(), inputs, outputs);
        } catch (OpGradient.MissingException e) {
            throw new UncompilableException(
                    "something trainable goes through an op that cannot be differentiated: " + e.getMessage(), e);
        }
        Map<String, Tensor> given = new LinkedHashMap<>();
        for (int i = 0; i < inputs.size(); i++) {
            given.put(derivative.inputs().get(i), node.input(i));
        }
        for (int i = 0; i < outputs.size(); i++) {
            Tensor output = node.outputs().get(i);
            given.put(derivative.outputs().get(i), output);
            if (output.isFloat()) {
                given.put(derivative.cotangents().get(i), i == 0 ? gradient : backward.gradient(output));
            }
        }
        Map<String, Tensor> found =
                Lowering.lower(derivative.graph(), derivative.gradients().values(), given, backward.builder());
        derivative.gradients().forEach((index, name) -> {
            Tensor input = node.input(index);
            Tensor result = found.get(name);
            if (result == null || result.type() != input.type() || !result.hasShape(input.shape())) {
                throw new UncompilableException("SameDiff's gradient of the op `"
                        + op.op().getOwnName() + "` (" + op.op().opName() + ") by its input " + index + " is " + result
                        + ", the input is " + input);
            }
            backward.add(input, result);
        });
    }

    private static void requireFloat(Node node, Backward backward) {
        for (Tensor tensor : node.inputs()) {
            if (backward.wants(tensor) && tensor.type().isFPType() && !tensor.isFloat()) {
                throw notFloat(node, tensor);
            }
        }
        for (Tensor tensor : node.outputs()) {
            if (tensor.type().isFPType() && !tensor.isFloat()) {
                throw notFloat(node, tensor);
            }
        }
    }

    private static UncompilableException notFloat(Node node, Tensor tensor) {
        return new UncompilableException(
                "something trainable goes through " + node.op().title() + " in " + tensor.type() + " (" + tensor
                        + "); the compiled engine has a derivative for FLOAT only");
    }

    private static OpGradient.Port port(Tensor tensor, Backward backward) {
        return new OpGradient.Port(
                tensor.type(),
                tensor.shape(),
                backward.builder().literal(tensor),
                tensor.isFloat() && backward.wants(tensor));
    }

    /** The largest or smallest element along axes: the gradient goes to it, to the first of equal ones. */
    static void extreme(Node node, Tensor gradient, String opName, Backward backward) {
        Tensor x = node.input(0);
        long[] kept = node.output().shape();
        int[] axes = IntStream.range(0, x.rank())
                .filter(axis -> kept[axis] != x.size(axis))
                .toArray();
        DynamicCustomOp op = DynamicCustomOp.builder(opName)
                .addIntegerArguments(axes)
                .addBooleanArguments(true)
                .build();
        Tensor result = backward.builder()
                .add(
                        new Op.Nd4j(new NativeOp(op, new DataType[] {x.type()}, 2)),
                        List.of(x, gradient),
                        x.type(),
                        Arrays.copyOf(x.shape(), x.rank()));
        backward.add(x, result);
    }
}
