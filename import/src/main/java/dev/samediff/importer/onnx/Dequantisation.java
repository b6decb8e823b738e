package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.nd4j.shade.protobuf.ByteString;

/**
 * Replaces stored quantised weights by the numbers they stand for, so that they are weights like others:
 * {@code (q - zero point) * scale}, per tensor or per axis (DequantizeLinear), and 4- or 8-bit blocks (com.microsoft:
 * MatMulNBits, which becomes a MatMul). The graph that comes out has no quantised weights; ONNX Runtime computes the same
 * from them, because it dequantises them too.
 */
final class Dequantisation {
    /** Weights with more numbers would need more memory than a Java array has. */
    private static final int MOST_NUMBERS = Integer.MAX_VALUE / 8;

    private final Map<String, TensorProto> stored = new HashMap<>();
    private final ExternalData files;
    private final List<NodeProto> nodes = new ArrayList<>();
    private final List<TensorProto> weights = new ArrayList<>();

    /**
     * The model without quantised weights.
     *
     * @param model the model
     * @param count how many weights were replaced
     */
    record Result(ModelProto model, int count) {}

    private Dequantisation(GraphProto graph, ExternalData files) {
        this.files = files;
        graph.getInitializerList().forEach(tensor -> stored.put(tensor.getName(), tensor));
        for (NodeProto node : graph.getNodeList()) {
            if (node.getOpType().equals("Constant") && node.getOutputCount() == 1) {
                for (AttributeProto attribute : node.getAttributeList()) {
                    if (attribute.getName().equals("value") && attribute.hasT()) {
                        stored.put(node.getOutput(0), attribute.getT());
                    }
                }
            }
        }
    }

    /**
     * Returns the model with dequantised weights.
     *
     * @throws InvalidInputException if a quantised weight does not fit its scales, or is of a kind that is not known
     */
    static Result of(ModelProto model, ExternalData files) {
        Dequantisation dequantisation = new Dequantisation(model.getGraph(), files);
        model.getGraph().getNodeList().forEach(dequantisation::look);
        if (dequantisation.weights.isEmpty()) {
            return new Result(model, 0);
        }
        GraphProto graph = model.getGraph().toBuilder()
                .clearNode()
                .addAllNode(dequantisation.nodes)
                .addAllInitializer(dequantisation.weights)
                .build();
        return new Result(model.toBuilder().setGraph(graph).build(), dequantisation.weights.size());
    }

    private void look(NodeProto node) {
        OnnxNode read = new OnnxNode(node);
        if (read.operator().equals("DequantizeLinear") && isStored(read, 3)) {
            dequantise(read);
        } else if (read.operator().equals("com.microsoft:MatMulNBits")) {
            multiply(read, node);
        } else {
            nodes.add(node);
        }
    }

    private boolean isStored(OnnxNode node, int inputs) {
        for (int i = 0; i < inputs; i++) {
            if (!node.input(i).isEmpty() && !stored.containsKey(node.input(i))) {
                return false;
            }
        }
        return !node.output(0).isEmpty();
    }

    private HostNumbers numbers(OnnxNode node, int input) {
        TensorProto tensor = stored.get(node.input(input));
        if (tensor == null) {
            throw new InvalidInputException(node + " has no stored tensor as input " + input
                    + "; quantised weights must be stored in the file");
        }
        OnnxTensor checked = new OnnxTensor(node.input(input), tensor, files, null);
        if (checked.length() > MOST_NUMBERS) {
            throw new InvalidInputException(node + " has a quantised weight of " + checked.length() + " numbers; up to "
                    + MOST_NUMBERS + " can be dequantised while importing: dequantise the file first");
        }
        return new HostNumbers(checked.shape(), checked.numbers());
    }

    /** A tensor's shape and numbers, not limited as those for folding are. */
    private record HostNumbers(long[] shape, StoredNumbers numbers) {
        int length() {
            return (int) HostTensor.length(shape);
        }

        double[] values() {
            return numbers.doubles(length());
        }
    }

    private void dequantise(OnnxNode node) {
        HostNumbers quantised = numbers(node, 0);
        double[] scales = numbers(node, 1).values();
        double[] zeros =
                node.input(2).isEmpty() ? new double[] {0} : numbers(node, 2).values();
        int rank = quantised.shape().length;
        long given = node.integer("axis", 1);
        int axis = (int) (given < 0 ? given + rank : given);
        if (node.integer("block_size", 0) != 0) {
            throw new InvalidInputException(node + " dequantises in blocks; per tensor and per axis can be imported:"
                    + " quantise without block_size");
        }
        boolean perAxis = scales.length > 1;
        long inner = 1;
        for (int i = axis + 1; i < rank && perAxis; i++) {
            inner *= quantised.shape()[i];
        }
        boolean fits = !perAxis || (axis >= 0 && axis < rank && quantised.shape()[axis] == scales.length);
        if (!fits || (zeros.length != 1 && zeros.length != scales.length)) {
            throw new InvalidInputException(node + " has " + scales.length + " scales and " + zeros.length
                    + " zero points for its axis " + axis + "; the graph is not valid ONNX");
        }
        double[] values = quantised.values();
        for (int i = 0; i < values.length; i++) {
            int place = perAxis ? (int) (i / inner % scales.length) : 0;
            values[i] = (values[i] - zeros[zeros.length == 1 ? 0 : place]) * scales[place];
        }
        weights.add(weight(node.output(0), quantised.shape(), values));
    }

    /** {@code x [.., K] times the transpose of the stored [N, K]}, whose rows are blocks with a scale each. */
    private void multiply(OnnxNode node, NodeProto proto) {
        int bits = (int) node.integer("bits", 4);
        int rows = (int) node.integer("N", 0);
        int columns = (int) node.integer("K", 0);
        int block = (int) node.integer("block_size", 0);
        boolean known = (bits == 4 || bits == 8) && rows > 0 && columns > 0 && block > 0 && block % 2 == 0;
        if (!known || !node.input(4).isEmpty() || (long) rows * columns > MOST_NUMBERS) {
            throw new InvalidInputException(node + " has bits = " + bits + ", N = " + rows + ", K = " + columns
                    + ", block_size = " + block + (node.input(4).isEmpty() ? "" : " and reordered groups (g_idx)")
                    + "; blocks of 4 or 8 bits in order can be imported");
        }
        int blocks = (columns + block - 1) / block;
        double[] packed = numbers(node, 1).values();
        double[] scales = numbers(node, 2).values();
        double[] zeros =
                node.input(3).isEmpty() ? new double[0] : numbers(node, 3).values();
        int perByte = 8 / bits;
        int zeroRow = (blocks + perByte - 1) / perByte;
        boolean floatZeros = zeros.length == rows * blocks && perByte > 1;
        if (packed.length != (long) rows * blocks * block / perByte
                || scales.length != rows * blocks
                || (zeros.length != 0 && zeros.length != rows * zeroRow && !floatZeros)) {
            throw new InvalidInputException(node + " has " + packed.length + " bytes, " + scales.length + " scales and "
                    + zeros.length + " zero points for [" + rows + ", " + columns + "] in blocks of " + block
                    + "; the graph is not valid");
        }
        double[] values = new double[rows * columns];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                int part = row * blocks + column / block;
                int at = part * block + column % block;
                double zero = zeros.length == 0
                        ? 1 << bits - 1
                        : floatZeros ? zeros[part] : unpacked(zeros, row * zeroRow, column / block, bits);
                values[row * columns + column] = (unpacked(packed, 0, at, bits) - zero) * scales[part];
            }
        }
        String weight = node.input(1) + "::dequantised";
        weights.add(weight(weight, new long[] {rows, columns}, values));
        String turned = weight + "/transposed";
        nodes.add(NodeProto.newBuilder()
                .setOpType("Transpose")
                .setName(turned)
                .addInput(weight)
                .addOutput(turned)
                .build());
        String product = node.input(5).isEmpty() ? node.output(0) : node.output(0) + "::product";
        nodes.add(NodeProto.newBuilder()
                .setOpType("MatMul")
                .setName(proto.getName())
                .addInput(node.input(0))
                .addInput(turned)
                .addOutput(product)
                .build());
        if (!node.input(5).isEmpty()) {
            nodes.add(NodeProto.newBuilder()
                    .setOpType("Add")
                    .addInput(product)
                    .addInput(node.input(5))
                    .addOutput(node.output(0))
                    .build());
        }
    }

    /** Number {@code index} of those packed into bytes, low half first. */
    private static double unpacked(double[] bytes, int start, int index, int bits) {
        if (bits == 8) {
            return bytes[start + index];
        }
        int both = (int) bytes[start + index / 2];
        return index % 2 == 0 ? both & 15 : both >> 4 & 15;
    }

    private static TensorProto weight(String name, long[] shape, double[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (double value : values) {
            bytes.putFloat((float) value);
        }
        TensorProto.Builder tensor =
                TensorProto.newBuilder().setName(name).setDataType(TensorProto.DataType.FLOAT_VALUE);
        for (long size : shape) {
            tensor.addDims(size);
        }
        return tensor.setRawData(ByteString.copyFrom(bytes.flip())).build();
    }
}
