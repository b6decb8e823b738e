package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import onnx.Onnx;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Random inputs an ONNX transformer accepts.
 *
 * <p>Integers stay below the height of the embedding table they index (followed through the graph from the input to its
 * Gather). Masks, by their name, are ones with zeros at the end of every second row; positions count up; floats are
 * standard normal.
 */
final class RandomInputs {
    /** Ops that hand their first input's numbers on, so that an index stays an index. */
    private static final Set<String> PASSING =
            Set.of("Identity", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Expand", "Transpose", "Slice", "Flatten");

    private static final long UNBOUNDED_INTEGERS = 2;

    private final Onnx.GraphProto graph;
    private final List<Onnx.ValueInfoProto> inputs;
    private final Map<String, Onnx.TensorProto> constants = new HashMap<>();

    RandomInputs(Onnx.GraphProto graph) {
        this.graph = graph;
        graph.getInitializerList().forEach(tensor -> constants.put(tensor.getName(), tensor));
        this.inputs = graph.getInputList().stream()
                .filter(input -> !constants.containsKey(input.getName()))
                .toList();
        for (Onnx.NodeProto node : graph.getNodeList()) {
            if (node.getOpType().equals("Constant")
                    && node.getAttributeCount() == 1
                    && node.getAttribute(0).hasT()) {
                constants.put(node.getOutput(0), node.getAttribute(0).getT());
            }
        }
    }

    /** The inputs a caller must give: what the file declares without what it holds as initializers. */
    List<Onnx.ValueInfoProto> inputs() {
        return inputs;
    }

    /** One array per input, in the file's order. */
    Map<String, INDArray> draw(InputSizes sizes, Random random) {
        Map<String, INDArray> drawn = new LinkedHashMap<>();
        for (Onnx.ValueInfoProto input : inputs) {
            drawn.put(input.getName(), draw(input, sizes.shape(input), random));
        }
        return drawn;
    }

    private INDArray draw(Onnx.ValueInfoProto input, long[] shape, Random random) {
        String name = input.getName();
        DataType type = type(input);
        long last = shape.length == 0 ? 1 : shape[shape.length - 1];
        double[] values = new double[Math.toIntExact(length(shape))];
        String lower = name.toLowerCase(Locale.ROOT);
        boolean positions = lower.contains("position");
        long bound = bound(name).orElse(positions ? Long.MAX_VALUE : UNBOUNDED_INTEGERS);
        for (int i = 0; i < values.length; i++) {
            if (lower.contains("mask")) {
                values[i] = visible(i / last, i % last, last) ? 1 : 0;
            } else if (type == DataType.BOOL) {
                values[i] = random.nextInt(2);
            } else if (type.isFPType()) {
                values[i] = random.nextGaussian();
            } else {
                values[i] = positions ? i % last % bound : random.nextInt(Math.toIntExact(bound));
            }
        }
        return values.length == 0
                ? Nd4j.create(type, shape)
                : Nd4j.createFromArray(values).castTo(type).reshape('c', shape);
    }

    /** Every second row of a mask ends in zeros, a quarter of its length, but never begins with one. */
    private static boolean visible(long row, long column, long length) {
        long hidden = row % 2 == 0 ? Math.max(1, length / 4) : 0;
        return column == 0 || column < length - hidden;
    }

    /** The smallest table an input indexes. */
    private OptionalLong bound(String input) {
        Deque<String> open = new ArrayDeque<>(List.of(input));
        Set<String> seen = new HashSet<>(open);
        OptionalLong bound = OptionalLong.empty();
        while (!open.isEmpty()) {
            String value = open.remove();
            for (Onnx.NodeProto node : graph.getNodeList()) {
                if (PASSING.contains(node.getOpType())
                        && node.getInput(0).equals(value)
                        && seen.add(node.getOutput(0))) {
                    open.add(node.getOutput(0));
                } else if (node.getOpType().equals("Gather") && node.getInput(1).equals(value)) {
                    OptionalLong height = height(node);
                    if (height.isPresent()) {
                        bound = OptionalLong.of(Math.min(height.getAsLong(), bound.orElse(Long.MAX_VALUE)));
                    }
                }
            }
        }
        return bound;
    }

    private OptionalLong height(Onnx.NodeProto gather) {
        String table = gather.getInput(0);
        for (int i = 0; i < graph.getNodeCount() && !constants.containsKey(table); i++) {
            Onnx.NodeProto node = graph.getNode(i);
            if (node.getOpType().equals("Identity") && node.getOutput(0).equals(table)) {
                table = node.getInput(0);
                i = -1;
            }
        }
        Onnx.TensorProto tensor = constants.get(table);
        if (tensor == null) {
            return OptionalLong.empty();
        }
        int axis = gather.getAttributeList().stream()
                .filter(attribute -> attribute.getName().equals("axis"))
                .mapToInt(attribute -> (int) attribute.getI())
                .findFirst()
                .orElse(0);
        return OptionalLong.of(tensor.getDims(axis < 0 ? axis + tensor.getDimsCount() : axis));
    }

    private static DataType type(Onnx.ValueInfoProto input) {
        int type = input.getType().getTensorType().getElemType();
        return switch (type) {
            case Onnx.TensorProto.DataType.FLOAT_VALUE -> DataType.FLOAT;
            case Onnx.TensorProto.DataType.DOUBLE_VALUE -> DataType.DOUBLE;
            case Onnx.TensorProto.DataType.INT64_VALUE -> DataType.LONG;
            case Onnx.TensorProto.DataType.INT32_VALUE -> DataType.INT;
            case Onnx.TensorProto.DataType.BOOL_VALUE -> DataType.BOOL;
            default ->
                throw new InvalidInputException("Input " + input.getName() + " has ONNX type "
                        + Onnx.TensorProto.DataType.forNumber(type)
                        + "; random inputs can be made for FLOAT, DOUBLE, INT64, INT32 and BOOL");
        };
    }

    private static long length(long[] shape) {
        long length = 1;
        for (long size : shape) {
            length *= size;
        }
        return length;
    }
}
