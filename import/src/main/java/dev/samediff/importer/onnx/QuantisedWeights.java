package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensor.NotValid;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;

/**
 * Replaces stored quantised weights by the numbers they stand for, so that they are weights like others:
 * {@code (q - zero point) * scale}, per tensor, per axis or in blocks (DequantizeLinear), and 4- or 8-bit blocks
 * (com.microsoft: MatMulNBits, which becomes a MatMul). The numbers are computed while they are read ({@link
 * DequantisedData}); ONNX Runtime computes the same from them, because it dequantises them too.
 */
final class QuantisedWeights {
    private final GraphProto source;
    private final GraphRewriting graph;
    private final ExternalData files;
    private final Map<String, ComputedWeight> computed = new LinkedHashMap<>();

    QuantisedWeights(GraphProto source, ExternalData files) {
        this.source = source;
        this.graph = new GraphRewriting(source);
        this.files = files;
    }

    /**
     * Returns the graph with dequantised weights; the same graph if it has none.
     *
     * @throws InvalidInputException if a quantised weight does not fit its scales, or is of a kind that is not known
     */
    GraphProto dequantised() {
        source.getNodeList().forEach(node -> look(new OnnxNode(node), node));
        return computed.isEmpty() ? source : withoutPacked(graph.result());
    }

    /** Tensors of 4-bit numbers that nothing reads any more are of a type the graph cannot have. */
    private static GraphProto withoutPacked(GraphProto graph) {
        Set<String> read = graph.getNodeList().stream()
                .flatMap(node -> node.getInputList().stream())
                .collect(Collectors.toSet());
        List<TensorProto> left = graph.getInitializerList().stream()
                .filter(tensor -> !PackedIntegers.isPacked(tensor.getDataType()) || read.contains(tensor.getName()))
                .toList();
        return left.size() == graph.getInitializerCount()
                ? graph
                : graph.toBuilder().clearInitializer().addAllInitializer(left).build();
    }

    /** The weights that were replaced, by the names of their tensors. */
    Map<String, ComputedWeight> computed() {
        return computed;
    }

    private void look(OnnxNode node, NodeProto proto) {
        if (QuantisedModel.plain(node.operator()).equals("DequantizeLinear") && isStored(node)) {
            dequantise(node);
        } else if (node.operator().equals("com.microsoft:MatMulNBits")) {
            multiply(node);
        } else {
            graph.keep(proto);
        }
    }

    private boolean isStored(OnnxNode node) {
        boolean zero = node.input(2).isEmpty() || graph.isStored(node.input(2));
        return zero
                && graph.isStored(node.input(0))
                && graph.isStored(node.input(1))
                && !node.output(0).isEmpty();
    }

    private TensorProto tensor(OnnxNode node, int input) {
        TensorProto tensor = graph.stored(node.input(input));
        if (tensor == null) {
            throw new InvalidInputException(node + " has no stored tensor as input " + input
                    + "; quantised weights must be stored in the file");
        }
        return tensor;
    }

    /** The numbers of a tensor of scales or zero points. */
    private double[] values(OnnxNode node, int input) {
        TensorProto tensor = tensor(node, input);
        if (PackedIntegers.isPacked(tensor.getDataType())) {
            byte[] bytes = tensor.getRawData().toByteArray();
            double[] values = new double[Math.toIntExact(length(node, tensor))];
            requireBytes(node, bytes.length, values.length);
            boolean signed = tensor.getDataType() == PackedIntegers.INT4;
            Arrays.setAll(values, i -> PackedIntegers.at(bytes, i, signed));
            return values;
        }
        OnnxTensor checked = new OnnxTensor(node.input(input), tensor, files, null);
        return checked.numbers().doubles(checked.length());
    }

    private static long length(OnnxNode node, TensorProto tensor) {
        long length = HostTensor.length(shape(tensor));
        if (length < 0 || length > Integer.MAX_VALUE) {
            throw new InvalidInputException(node + " reads a tensor of shape " + tensor.getDimsList()
                    + ", which is no size that can be held" + NotValid.DAMAGED);
        }
        return length;
    }

    private static long[] shape(TensorProto tensor) {
        return tensor.getDimsList().stream().mapToLong(Long::longValue).toArray();
    }

    private static void requireBytes(OnnxNode node, long bytes, long numbers) {
        if (bytes != (numbers + 1) / 2) {
            throw new InvalidInputException(
                    node + " has " + numbers + " numbers of 4 bits in " + bytes + " bytes" + NotValid.DAMAGED);
        }
    }

    private void dequantise(OnnxNode node) {
        TensorProto quantised = tensor(node, 0);
        double[] scales = values(node, 1);
        double[] zeros = node.input(2).isEmpty() ? new double[] {0} : values(node, 2);
        long length = length(node, quantised);
        DequantisedData.Place place = place(node, shape(quantised), scales.length);
        if (zeros.length != 1 && zeros.length != scales.length) {
            throw new InvalidInputException(
                    node + " has " + scales.length + " scales and " + zeros.length + " zero points" + NotValid.ONNX);
        }
        add(
                node,
                node.output(0),
                shape(quantised),
                new DequantisedData(numbers(node, quantised), length, scales, zeros, place));
    }

    private DequantisedData.Source numbers(OnnxNode node, TensorProto quantised) {
        if (!PackedIntegers.isPacked(quantised.getDataType())) {
            return DequantisedData.of(new OnnxTensor(node.input(0), quantised, files, null).numbers());
        }
        TensorData packed = quantised.getDataLocation() == TensorProto.DataLocation.EXTERNAL
                ? files.of(node.input(0), quantised)
                : new TensorData.InMemory(quantised.getRawData().asReadOnlyByteBuffer());
        long length = length(node, quantised);
        requireBytes(node, packed.size(), length);
        boolean signed = quantised.getDataType() == PackedIntegers.INT4;
        return DequantisedData.of(packed, length, (bytes, index) -> PackedIntegers.at(bytes, (int) index, signed));
    }

    /** One scale, one for each place of an axis, or one for each block along it. */
    private static DequantisedData.Place place(OnnxNode node, long[] shape, int scales) {
        long given = node.integer("axis", 1);
        int axis = (int) (given < 0 ? given + shape.length : given);
        long block = node.integer("block_size", 0);
        if (scales == 1 && block == 0) {
            return index -> 0;
        }
        boolean exists = axis >= 0 && axis < shape.length && block >= 0;
        long size = exists ? shape[axis] : 0;
        long inner = exists ? HostTensor.length(Arrays.copyOfRange(shape, axis + 1, shape.length)) : 0;
        long outer = exists ? HostTensor.length(Arrays.copyOfRange(shape, 0, axis)) : 0;
        long blocks = block == 0 ? size : (size + block - 1) / block;
        if (scales != (block == 0 ? size : outer * blocks * inner)) {
            throw new InvalidInputException(
                    node + " has " + scales + " scales for axis " + given + " of a tensor of shape "
                            + Arrays.toString(shape) + (block == 0 ? "" : " in blocks of " + block)
                            + NotValid.ONNX);
        }
        return block == 0
                ? index -> (int) (index / inner % size)
                : index -> (int)
                        ((index / (size * inner) * blocks + index / inner % size / block) * inner + index % inner);
    }

    /** {@code x [.., K] times the transpose of the stored [N, K]}, whose rows are blocks with a scale each. */
    private void multiply(OnnxNode node) {
        String weight = graph.fresh(node.input(1) + "::dequantised");
        BlockedRows rows = BlockedRows.of(node);
        double[] scales = values(node, 2);
        double[] zeros = rows.zeros(node.input(3).isEmpty() ? new double[0] : values(node, 3), scales.length);
        OnnxTensor packed = new OnnxTensor(node.input(1), tensor(node, 1), files, null);
        rows.check(packed.length(), scales.length);
        add(
                node,
                weight,
                new long[] {rows.rows(), rows.columns()},
                new DequantisedData(
                        DequantisedData.of(packed.numbers().data(), rows.length(), rows::number),
                        rows.length(),
                        scales,
                        zeros,
                        rows::part));
        String turned = graph.emit("Transpose", graph.fresh(weight + "/transposed"), weight);
        boolean plain = node.input(5).isEmpty();
        String product = plain ? node.output(0) : graph.fresh(node.output(0) + "::product");
        graph.emit("MatMul", node.name(), List.of(), product, node.input(0), turned);
        if (!plain) {
            graph.emit("Add", graph.fresh(node.name() + "/Add"), List.of(), node.output(0), product, node.input(5));
        }
    }

    private void add(OnnxNode node, String name, long[] shape, DequantisedData data) {
        boolean packed = node.operator().equals("com.microsoft:MatMulNBits");
        TensorProto.Builder template = TensorProto.newBuilder()
                .setName(packed ? node.input(1) : name)
                .setDataType(tensor(node, packed ? 2 : 1).getDataType());
        Arrays.stream(shape).forEach(template::addDims);
        computed.put(name, new ComputedWeight(template.getName(), template.build(), packed));
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addAllExternalData(ExternalData.reference(files.add(data), 0, data.size()));
        Arrays.stream(shape).forEach(tensor::addDims);
        graph.store(tensor.build());
    }
}
