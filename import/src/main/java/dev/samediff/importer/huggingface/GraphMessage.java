package dev.samediff.importer.huggingface;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorShapeProto;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;

/** An ONNX graph while it is made, operator set {@value #OPSET}. Values are known by their names. */
public final class GraphMessage {
    /** The operator set. */
    public static final int OPSET = 17;

    private final GraphProto.Builder graph = GraphProto.newBuilder();
    private String module = "";

    /** Says in which module the nodes belong that follow; it is part of their names. */
    public void in(String path) {
        module = path;
    }

    /** Adds an input of whole numbers. */
    public String input(String name, String... dims) {
        graph.addInput(value(name, TensorProto.DataType.INT64, dims));
        return name;
    }

    /** Adds a float32 output that has its name already. */
    public void output(String name, String... dims) {
        graph.addOutput(value(name, TensorProto.DataType.FLOAT, dims));
    }

    /** Adds a stored tensor and returns its name. */
    String initializer(TensorProto tensor) {
        graph.addInitializer(tensor);
        return tensor.getName();
    }

    /** Adds a node and returns its output. */
    public String node(String operator, String... inputs) {
        return named("value" + graph.getNodeCount(), operator, List.of(), inputs);
    }

    /** Adds a node with attributes and returns its output. */
    public String node(String operator, List<AttributeProto> attributes, String... inputs) {
        return named("value" + graph.getNodeCount(), operator, attributes, inputs);
    }

    /** Adds a node with an output of a given name, and returns that. */
    public String named(String output, String operator, List<AttributeProto> attributes, String... inputs) {
        graph.addNode(NodeProto.newBuilder()
                .setOpType(operator)
                .setName(name(operator))
                .addAllInput(List.of(inputs))
                .addAllAttribute(attributes)
                .addOutput(output));
        return output;
    }

    /** As torch names nodes: by module and operator. */
    private String name(String operator) {
        String path = module.isEmpty() ? "" : "/" + module.replace('.', '/');
        return path + "/" + operator + "_" + graph.getNodeCount();
    }

    /** Turns axes. */
    public String transposed(String x, long... order) {
        return node("Transpose", List.of(integersOf("perm", order)), x);
    }

    /** Splits a value into equal parts along its last axis. */
    public List<String> split(String x, int parts) {
        return split(x, parts, List.of());
    }

    /** Splits a value into parts of these sizes along its last axis. */
    public List<String> splitAt(String x, long... sizes) {
        return split(x, sizes.length, List.of(integers(sizes)));
    }

    private List<String> split(String x, int parts, List<String> sizes) {
        List<String> outputs = new ArrayList<>();
        NodeProto.Builder split = NodeProto.newBuilder()
                .setOpType("Split")
                .setName(name("Split"))
                .addInput(x)
                .addAllInput(sizes)
                .addAttribute(integer("axis", -1));
        for (int i = 0; i < parts; i++) {
            outputs.add(x + ".part" + i);
        }
        graph.addNode(split.addAllOutput(outputs));
        return outputs;
    }

    /** Adds a float32 scalar. */
    public String number(double value) {
        return initializer(TensorProto.newBuilder()
                .setName("number" + graph.getInitializerCount())
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addFloatData((float) value)
                .build());
    }

    /** Adds a float32 vector. */
    public String numbers(float[] values) {
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName("numbers" + graph.getInitializerCount())
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addDims(values.length);
        for (float value : values) {
            tensor.addFloatData(value);
        }
        return initializer(tensor.build());
    }

    /** Adds an int64 scalar. */
    public String integer(long value) {
        return initializer(TensorProto.newBuilder()
                .setName("integer" + graph.getInitializerCount())
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addInt64Data(value)
                .build());
    }

    /** Adds an int64 vector. */
    public String integers(long... values) {
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName("integers" + graph.getInitializerCount())
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(values.length);
        LongStream.of(values).forEach(tensor::addInt64Data);
        return initializer(tensor.build());
    }

    /** Returns an attribute. */
    public static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }

    /** Returns an attribute. */
    public static AttributeProto integersOf(String name, long... values) {
        AttributeProto.Builder attribute =
                AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
        LongStream.of(values).forEach(attribute::addInts);
        return attribute.build();
    }

    /** Returns an attribute. */
    public static AttributeProto real(String name, double value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.FLOAT)
                .setF((float) value)
                .build();
    }

    /** Returns the graph so far. */
    public GraphProto build(String name) {
        return graph.setName(name).build();
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
