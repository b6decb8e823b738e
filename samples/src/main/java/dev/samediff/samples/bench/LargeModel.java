package dev.samediff.samples.bench;

import dev.samediff.adapters.io.DurableFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.OperatorSetIdProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorShapeProto;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;
import org.nd4j.shade.protobuf.CodedOutputStream;

/**
 * Writes an ONNX file with GPT-2's layers (width 768, 12 heads, no mask) and random weights, as large as asked for. The
 * numbers go to the disk as they are made; the file runs in ONNX Runtime.
 */
public final class LargeModel {
    private static final int WIDTH = 768;
    private static final int HEADS = 12;
    private static final int VOCABULARY = 50257;
    private static final long LAYER_BYTES = 12L * WIDTH * WIDTH * Float.BYTES;

    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("large");
    private final List<TensorProto> weights = new ArrayList<>();

    private LargeModel(int layers) {
        graph.addInput(value("input_ids", TensorProto.DataType.INT64, "batch", "sequence"));
        String hidden = node("Gather", weight("transformer.wte.weight", VOCABULARY, WIDTH), "input_ids");
        for (int layer = 0; layer < layers; layer++) {
            hidden = block("transformer.h." + layer + ".", hidden);
        }
        String normal = norm("transformer.ln_f", hidden);
        graph.addNode(NodeProto.newBuilder()
                .setOpType("MatMul")
                .setName("/lm_head/MatMul")
                .addInput(normal)
                .addInput(weight("lm_head.weight", WIDTH, VOCABULARY))
                .addOutput("logits"));
        graph.addOutput(value("logits", TensorProto.DataType.FLOAT, "batch", "sequence", Integer.toString(VOCABULARY)));
    }

    /**
     * Writes a model.
     *
     * @param megabytes size of the file in units of 10^6 bytes, 400 and more
     * @throws IOException if it cannot be written; what was there before is untouched
     */
    public static void write(Path file, int megabytes) throws IOException {
        long layers = Math.round((megabytes * 1e6 - 2.0 * VOCABULARY * WIDTH * Float.BYTES) / LAYER_BYTES);
        new LargeModel(Math.toIntExact(Math.max(1, layers))).write(file);
    }

    private String block(String path, String hidden) {
        String attended = attention(path + "attn.", norm(path + "ln_1", hidden));
        String middle = node("Add", hidden, attended);
        String up = linear(path + "mlp.c_fc", norm(path + "ln_2", middle), WIDTH, 4 * WIDTH);
        String active = node("Mul", up, node("Sigmoid", up));
        return node("Add", middle, linear(path + "mlp.c_proj", active, 4 * WIDTH, WIDTH));
    }

    private String attention(String path, String hidden) {
        String joined = linear(path + "c_attn", hidden, WIDTH, 3 * WIDTH);
        String[] parts = new String[3];
        NodeProto.Builder split =
                NodeProto.newBuilder().setOpType("Split").addInput(joined).addAttribute(integer("axis", 2));
        for (int i = 0; i < parts.length; i++) {
            parts[i] = path + "part" + i;
            split.addOutput(parts[i]);
        }
        graph.addNode(split);
        String query = heads(parts[0], 0, 2, 1, 3);
        String keys = heads(parts[1], 0, 2, 3, 1);
        String scores = node("Div", node("MatMul", query, keys), number(path + "scale", Math.sqrt(WIDTH / HEADS)));
        String mixed = node("MatMul", node("Softmax", scores), heads(parts[2], 0, 2, 1, 3));
        String rows = node("Reshape", transposed(mixed, 0, 2, 1, 3), sizes(path + "rows", 0, 0, WIDTH));
        return linear(path + "c_proj", rows, WIDTH, WIDTH);
    }

    private String heads(String x, long... order) {
        return transposed(node("Reshape", x, sizes(x + ".heads", 0, 0, HEADS, WIDTH / HEADS)), order);
    }

    private String transposed(String x, long... order) {
        AttributeProto.Builder perm =
                AttributeProto.newBuilder().setName("perm").setType(AttributeProto.AttributeType.INTS);
        LongStream.of(order).forEach(perm::addInts);
        String out = node("Transpose", x);
        graph.getNodeBuilder(graph.getNodeCount() - 1).addAttribute(perm);
        return out;
    }

    private String linear(String path, String x, int in, int out) {
        return node("Add", weight(path + ".bias", out), node("MatMul", x, weight(path + ".weight", in, out)));
    }

    private String norm(String path, String x) {
        return node("LayerNormalization", x, weight(path + ".weight", WIDTH), weight(path + ".bias", WIDTH));
    }

    private String node(String operator, String... inputs) {
        String out = "value" + graph.getNodeCount();
        graph.addNode(NodeProto.newBuilder()
                .setOpType(operator)
                .setName("/node" + graph.getNodeCount() + "/" + operator)
                .addAllInput(List.of(inputs))
                .addOutput(out));
        return out;
    }

    private static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }

    private String weight(String name, long... shape) {
        TensorProto.Builder tensor =
                TensorProto.newBuilder().setName(name).setDataType(TensorProto.DataType.FLOAT_VALUE);
        LongStream.of(shape).forEach(tensor::addDims);
        weights.add(tensor.build());
        return name;
    }

    private String number(String name, double value) {
        graph.addInitializer(TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addFloatData((float) value));
        return name;
    }

    private String sizes(String name, long... sizes) {
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(sizes.length);
        LongStream.of(sizes).forEach(tensor::addInt64Data);
        graph.addInitializer(tensor);
        return name;
    }

    private static ValueInfoProto value(String name, TensorProto.DataType type, String... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (String dim : dims) {
            boolean known = Character.isDigit(dim.charAt(0));
            shape.addDim(
                    known
                            ? TensorShapeProto.Dimension.newBuilder().setDimValue(Long.parseLong(dim))
                            : TensorShapeProto.Dimension.newBuilder().setDimParam(dim));
        }
        TypeProto.Tensor tensor = TypeProto.Tensor.newBuilder()
                .setElemType(type.getNumber())
                .setShape(shape)
                .build();
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }

    private void write(Path file) throws IOException {
        ModelProto frame = ModelProto.newBuilder()
                .setIrVersion(8)
                .setProducerName("samediff-adapters bench")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
                .build();
        DurableFiles.write(file, out -> {
            CodedOutputStream coded = CodedOutputStream.newInstance(out, 1 << 16);
            frame.writeTo(coded);
            GraphProto small = graph.build();
            long length = small.getSerializedSize();
            for (TensorProto weight : weights) {
                long size = size(weight);
                length += CodedOutputStream.computeTagSize(5) + CodedOutputStream.computeUInt64SizeNoTag(size) + size;
            }
            coded.writeTag(ModelProto.GRAPH_FIELD_NUMBER, 2);
            coded.writeUInt64NoTag(length);
            small.writeTo(coded);
            SplittableRandom random = new SplittableRandom(1);
            for (TensorProto weight : weights) {
                coded.writeTag(GraphProto.INITIALIZER_FIELD_NUMBER, 2);
                coded.writeUInt64NoTag(size(weight));
                weight.writeTo(coded);
                coded.writeTag(TensorProto.RAW_DATA_FIELD_NUMBER, 2);
                coded.writeUInt64NoTag(bytes(weight));
                coded.flush();
                numbers(weight, random, out);
            }
            coded.flush();
        });
    }

    private static long bytes(TensorProto weight) {
        return weight.getDimsList().stream().mapToLong(Long::longValue).reduce(Float.BYTES, (a, b) -> a * b);
    }

    private static long size(TensorProto weight) {
        long bytes = bytes(weight);
        return weight.getSerializedSize()
                + CodedOutputStream.computeTagSize(TensorProto.RAW_DATA_FIELD_NUMBER)
                + CodedOutputStream.computeUInt64SizeNoTag(bytes)
                + bytes;
    }

    private static void numbers(TensorProto weight, SplittableRandom random, OutputStream out) throws IOException {
        ByteBuffer piece = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        for (long left = bytes(weight); left > 0; left -= piece.limit()) {
            piece.clear().limit((int) Math.min(piece.capacity(), left));
            while (piece.hasRemaining()) {
                piece.putFloat((float) (random.nextDouble() - 0.5) * 0.1f);
            }
            out.write(piece.array(), 0, piece.limit());
        }
    }
}
