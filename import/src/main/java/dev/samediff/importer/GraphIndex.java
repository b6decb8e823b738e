package dev.samediff.importer;

import dev.samediff.importer.onnx.OnnxNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.DoubleStream;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.ValueInfoProto;
import org.jspecify.annotations.Nullable;

/** A graph's stored tensors, and who writes and reads its values. */
final class GraphIndex {
    /** Numbers of tensors with more elements are not looked at. */
    static final int MOST_NUMBERS = 1 << 12;

    private final GraphProto graph;
    private final Map<String, TensorProto> constants = new HashMap<>();
    private final Map<String, NodeProto> writers = new HashMap<>();
    private final Map<String, Set<NodeProto>> readers = new HashMap<>();

    GraphIndex(GraphProto graph) {
        this.graph = graph;
        graph.getInitializerList().forEach(tensor -> constants.put(tensor.getName(), tensor));
        for (NodeProto node : graph.getNodeList()) {
            node.getOutputList().forEach(output -> writers.put(output, node));
            node.getInputList()
                    .forEach(input -> readers.computeIfAbsent(input, name -> new LinkedHashSet<>())
                            .add(node));
            if (node.getOpType().equals("Constant")
                    && node.getOutputCount() == 1
                    && node.getAttributeCount() == 1
                    && node.getAttribute(0).hasT()) {
                constants.put(node.getOutput(0), node.getAttribute(0).getT());
            }
        }
    }

    Collection<NodeProto> nodes() {
        return graph.getNodeList();
    }

    /** The inputs that a caller gives. */
    List<ValueInfoProto> inputs() {
        Set<String> stored = new HashSet<>();
        graph.getInitializerList().forEach(tensor -> stored.add(tensor.getName()));
        return graph.getInputList().stream()
                .filter(input -> !stored.contains(input.getName()))
                .toList();
    }

    /** How many values there are. */
    int size() {
        return constants.size() + writers.size();
    }

    @Nullable
    NodeProto writer(String value) {
        return writers.get(value);
    }

    Set<NodeProto> readers(String value) {
        return readers.getOrDefault(value, Set.of());
    }

    /** The value that is handed on, seen through Identity and Cast. */
    String source(String value) {
        String source = value;
        for (int i = 0; i <= writers.size(); i++) {
            NodeProto writer = writers.get(source);
            if (writer == null || writer.getInputCount() == 0 || constants.containsKey(source)) {
                return source;
            }
            if (!writer.getOpType().equals("Identity") && !writer.getOpType().equals("Cast")) {
                return source;
            }
            source = writer.getInput(0);
        }
        return source;
    }

    /** The stored tensor behind a value, seen through Identity and Cast; null if it is computed. */
    @Nullable
    TensorProto constant(String value) {
        return constants.get(source(value));
    }

    /** The numbers of a stored tensor in the message, whatever their type; null if they are not there or too many. */
    static double @Nullable [] numbers(TensorProto tensor) {
        long length = tensor.getDimsList().stream().reduce(1L, (a, b) -> a * b);
        if (length < 0 || length > MOST_NUMBERS || tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
            return null;
        }
        DoubleStream typed = switch (tensor.getDataType()) {
            case TensorProto.DataType.INT64_VALUE ->
                tensor.getInt64DataList().stream().mapToDouble(Long::doubleValue);
            case TensorProto.DataType.FLOAT_VALUE ->
                tensor.getFloatDataList().stream().mapToDouble(Float::doubleValue);
            case TensorProto.DataType.DOUBLE_VALUE ->
                tensor.getDoubleDataList().stream().mapToDouble(Double::doubleValue);
            case TensorProto.DataType.INT32_VALUE, TensorProto.DataType.BOOL_VALUE ->
                tensor.getInt32DataList().stream().mapToDouble(Integer::doubleValue);
            default -> null;
        };
        double[] numbers = typed == null ? null : typed.toArray();
        if (numbers != null && numbers.length == 0) {
            numbers = raw(tensor, (int) length);
        }
        return numbers != null && numbers.length == length ? numbers : null;
    }

    private static double @Nullable [] raw(TensorProto tensor, int length) {
        ByteBuffer bytes = tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        int each = switch (tensor.getDataType()) {
            case TensorProto.DataType.INT64_VALUE, TensorProto.DataType.DOUBLE_VALUE -> Long.BYTES;
            case TensorProto.DataType.BOOL_VALUE -> 1;
            default -> Integer.BYTES;
        };
        if (bytes.remaining() != (long) length * each) {
            return null;
        }
        double[] numbers = new double[length];
        for (int i = 0; i < length; i++) {
            numbers[i] = switch (tensor.getDataType()) {
                case TensorProto.DataType.INT64_VALUE -> bytes.getLong();
                case TensorProto.DataType.DOUBLE_VALUE -> bytes.getDouble();
                case TensorProto.DataType.FLOAT_VALUE -> bytes.getFloat();
                case TensorProto.DataType.BOOL_VALUE -> bytes.get();
                default -> bytes.getInt();
            };
        }
        return numbers;
    }

    /** The numbers of a stored vector or number; empty if it is computed or too long. */
    long[] wholes(String value) {
        TensorProto tensor = constant(value);
        double[] numbers = tensor == null ? null : numbers(tensor);
        if (numbers == null) {
            return new long[0];
        }
        long[] wholes = new long[numbers.length];
        for (int i = 0; i < wholes.length; i++) {
            wholes[i] = (long) numbers[i];
        }
        return wholes;
    }

    /** A whole-number attribute. */
    static long attribute(NodeProto node, String name, long otherwise) {
        return new OnnxNode(node).integer(name, otherwise);
    }
}
