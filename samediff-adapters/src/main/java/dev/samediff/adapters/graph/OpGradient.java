package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.serde.FlatBuffersMapper;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * SameDiff's derivative of a single op, in a small graph of its own.
 *
 * @param graph the op and the ops of its backward pass
 * @param inputs names of the op's inputs, one for each position, known ones as constants
 * @param outputs names of its outputs
 * @param cotangents names of the placeholders for the gradients of the outputs; those of outputs that are no floating point
 *     numbers are not used
 * @param gradients name of the gradient of each wanted input, by position
 */
public record OpGradient(
        SameDiff graph,
        List<String> inputs,
        List<String> outputs,
        List<String> cotangents,
        Map<Integer, String> gradients) {

    /**
     * An input or output of the op.
     *
     * @param type its type
     * @param shape its shape
     * @param known its value, if it is known before the data
     * @param wanted whether its gradient is asked for
     */
    public record Port(
            DataType type, long[] shape, @Nullable INDArray known, boolean wanted) {}

    /** An op that SameDiff cannot differentiate. */
    public static final class MissingException extends RuntimeException {
        private static final long serialVersionUID = 1;

        MissingException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Differentiates an op as SameDiff does.
     *
     * @param op an op of a graph, which is not changed
     * @param inputs its inputs
     * @param outputs its outputs
     * @throws InvalidInputException if SameDiff's derivative of this op is known to be wrong
     * @throws MissingException if SameDiff has none
     */
    public static OpGradient of(DifferentialFunction op, List<Port> inputs, List<Port> outputs) {
        GraphAudit.requireSafe(op, index -> inputs.get(index).wanted());
        SameDiff graph = SameDiff.create();
        List<String> names = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            names.add(add(graph, "input " + i, inputs.get(i)));
        }
        List<String> results = List.of(op.outputVariablesNames());
        List<String> cotangents = new ArrayList<>();
        List<@Nullable SDVariable> given = new ArrayList<>();
        for (int i = 0; i < outputs.size(); i++) {
            Port output = outputs.get(i);
            SDVariable cotangent = graph.placeHolder("gradient of output " + i, output.type(), output.shape());
            cotangents.add(cotangent.name());
            given.add(output.type().isFPType() ? cotangent : null);
        }
        DifferentialFunction copy = copy(op, graph, names, results, outputs);
        return new OpGradient(graph, names, results, cotangents, gradients(copy, inputs, given));
    }

    private static String add(SameDiff graph, String name, Port port) {
        return port.known() == null
                ? graph.placeHolder(name, port.type(), port.shape()).name()
                : graph.constant(name, port.known()).name();
    }

    private static DifferentialFunction copy(
            DifferentialFunction op, SameDiff graph, List<String> inputs, List<String> results, List<Port> outputs) {
        DifferentialFunction copy;
        try {
            copy = FlatBuffersMapper.cloneViaSerialize(op.getSameDiff(), op);
        } catch (RuntimeException e) { // log_softmax of a given axis, for one
            throw new MissingException(
                    "SameDiff cannot copy the op `" + op.getOwnName() + "` (" + op.opName() + "): " + e.getMessage(),
                    e);
        }
        copy.setOwnName(op.getOwnName());
        copy.setSameDiff(graph);
        graph.addArgsFor(inputs.toArray(String[]::new), copy);
        for (int i = 0; i < results.size(); i++) {
            Port port = outputs.get(i);
            graph.addVariable(new SDVariable(results.get(i), VariableType.ARRAY, graph, port.shape(), port.type()));
        }
        graph.addOutgoingFor(results.toArray(String[]::new), copy);
        return copy;
    }

    /** The gradients of a loss op as if nothing came after it, times the gradient of what does. */
    private static List<SDVariable> scaled(List<SDVariable> gradients, List<@Nullable SDVariable> cotangents) {
        SDVariable factor = cotangents.get(0);
        if (factor == null || Arrays.stream(factor.getShape()).anyMatch(size -> size != 1)) {
            throw new IllegalArgumentException("it ignores what comes after it; reduce the loss to one number");
        }
        SDVariable number = factor.reshape(1);
        return gradients.stream()
                .map(gradient -> gradient.dataType().isFPType() ? gradient.mul(number) : gradient)
                .toList();
    }

    private static Map<Integer, String> gradients(
            DifferentialFunction op, List<Port> inputs, List<@Nullable SDVariable> cotangents) {
        List<SDVariable> found;
        try {
            found = op.doDiff(cotangents);
            if (found != null && GraphAudit.ignoresGradient(op.opName())) {
                found = scaled(found, cotangents);
            }
        } catch (RuntimeException e) {
            throw new MissingException(
                    "SameDiff has no derivative of the op `" + op.getOwnName() + "` (" + op.opName() + "): "
                            + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage()),
                    e);
        }
        Map<Integer, String> gradients = new LinkedHashMap<>();
        for (int i = 0; i < inputs.size(); i++) {
            if (inputs.get(i).wanted()) {
                SDVariable gradient = found == null || i >= found.size() ? null : found.get(i);
                if (gradient == null) {
                    throw new MissingException(
                            "SameDiff has no derivative of the op `" + op.getOwnName() + "` (" + op.opName()
                                    + ") by its input " + i,
                            null);
                }
                gradients.put(i, gradient.name());
            }
        }
        return gradients;
    }
}
