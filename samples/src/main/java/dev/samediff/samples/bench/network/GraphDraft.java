package dev.samediff.samples.bench.network;

import java.util.ArrayList;
import java.util.List;
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

/** An ONNX graph while it is made: nodes and small constants; the weights are only named. */
final class GraphDraft {
    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("gpt");
    private final List<Weight> weights = new ArrayList<>();

    /** Returns the model without its weights' numbers. */
    ModelProto frame() {
        return ModelProto.newBuilder()
                .setIrVersion(8)
                .setProducerName("samediff-adapters bench")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
                .build();
    }

    GraphProto.Builder graph() {
        return graph;
    }

    List<Weight> weights() {
        return weights;
    }

    void input(String name, String... dims) {
        graph.addInput(value(name, TensorProto.DataType.INT64, dims));
    }

    void output(String name, String... dims) {
        graph.addOutput(value(name, TensorProto.DataType.FLOAT, dims));
    }

    /** Adds a weight and returns its name. */
    String weight(String name, double mean, double deviation, long... shape) {
        weights.add(new Weight(name, LongStream.of(shape).boxed().toList(), mean, deviation));
        return name;
    }

    /** Adds a node and returns its output. */
    String node(String operator, String... inputs) {
        String out = "value" + graph.getNodeCount();
        last(operator, out, inputs);
        return out;
    }

    /** Adds a node with a given output. */
    void last(String operator, String out, String... inputs) {
        graph.addNode(NodeProto.newBuilder()
                .setOpType(operator)
                .setName("/node" + graph.getNodeCount() + "/" + operator)
                .addAllInput(List.of(inputs))
                .addOutput(out));
    }

    /** Splits a value into equal parts along an axis. */
    String[] split(String x, int parts, int axis) {
        String[] outputs = new String[parts];
        NodeProto.Builder split = NodeProto.newBuilder()
                .setOpType("Split")
                .setName("/node" + graph.getNodeCount() + "/Split")
                .addInput(x)
                .addAttribute(AttributeProto.newBuilder()
                        .setName("axis")
                        .setType(AttributeProto.AttributeType.INT)
                        .setI(axis));
        for (int i = 0; i < parts; i++) {
            outputs[i] = x + ".part" + i;
            split.addOutput(outputs[i]);
        }
        graph.addNode(split);
        return outputs;
    }

    String transposed(String x, long... order) {
        AttributeProto.Builder perm =
                AttributeProto.newBuilder().setName("perm").setType(AttributeProto.AttributeType.INTS);
        LongStream.of(order).forEach(perm::addInts);
        String out = node("Transpose", x);
        graph.getNodeBuilder(graph.getNodeCount() - 1).addAttribute(perm);
        return out;
    }

    /** Adds a float32 scalar. */
    String number(double value) {
        String name = "number" + graph.getInitializerCount();
        graph.addInitializer(TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addFloatData((float) value));
        return name;
    }

    /** Adds an int64 scalar. */
    String integer(long value) {
        String name = "integer" + graph.getInitializerCount();
        graph.addInitializer(TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addInt64Data(value));
        return name;
    }

    /** Adds an int64 vector. */
    String integers(long... values) {
        String name = "integers" + graph.getInitializerCount();
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(values.length);
        LongStream.of(values).forEach(tensor::addInt64Data);
        graph.addInitializer(tensor);
        return name;
    }

    private static ValueInfoProto value(String name, TensorProto.DataType type, String... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (String dim : dims) {
            TensorShapeProto.Dimension.Builder size = TensorShapeProto.Dimension.newBuilder();
            boolean known = Character.isDigit(dim.charAt(0));
            shape.addDim(known ? size.setDimValue(Long.parseLong(dim)) : size.setDimParam(dim));
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
}
