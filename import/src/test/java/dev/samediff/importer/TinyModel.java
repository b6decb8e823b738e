package dev.samediff.importer;

import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.OperatorSetIdProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorShapeProto;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.shade.protobuf.ByteString;

/** Writes ONNX files of a few nodes. */
public final class TinyModel {
    private final int opset;
    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("tiny");

    public TinyModel(int opset) {
        this.opset = opset;
    }

    /** Adds an input; negative sizes become the symbols d1, d2, ... */
    public TinyModel input(String name, DataType type, long... dims) {
        graph.addInput(value(name, type, dims));
        return this;
    }

    public TinyModel output(String name, DataType type, long... dims) {
        graph.addOutput(value(name, type, dims));
        return this;
    }

    /** Adds an output whose type and sizes the file leaves open, as some optimisers write it. */
    public TinyModel output(String name) {
        graph.addOutput(ValueInfoProto.newBuilder().setName(name));
        return this;
    }

    static ValueInfoProto value(String name, DataType type, long... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (long dim : dims) {
            TensorShapeProto.Dimension.Builder size = TensorShapeProto.Dimension.newBuilder();
            shape.addDim(dim < 0 ? size.setDimParam("d" + -dim) : size.setDimValue(dim));
        }
        TypeProto.Tensor tensor = TypeProto.Tensor.newBuilder()
                .setElemType(elementType(type).getNumber())
                .setShape(shape)
                .build();
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }

    static TensorProto.DataType elementType(DataType type) {
        return switch (type) {
            case FLOAT -> TensorProto.DataType.FLOAT;
            case DOUBLE -> TensorProto.DataType.DOUBLE;
            case LONG -> TensorProto.DataType.INT64;
            case INT -> TensorProto.DataType.INT32;
            case BOOL -> TensorProto.DataType.BOOL;
            default -> throw new IllegalArgumentException(type.toString());
        };
    }

    public TinyModel initializer(String name, HostTensor tensor) {
        graph.addInitializer(tensor(name, tensor));
        return this;
    }

    public TinyModel initializer(TensorProto tensor) {
        graph.addInitializer(tensor);
        return this;
    }

    static TensorProto tensor(String name, HostTensor tensor) {
        TensorProto.Builder proto = TensorProto.newBuilder()
                .setName(name)
                .setDataType(elementType(tensor.type()).getNumber());
        Arrays.stream(tensor.shape()).forEach(proto::addDims);
        for (int i = 0; i < tensor.length(); i++) {
            switch (tensor.type()) {
                case FLOAT -> proto.addFloatData((float) tensor.asDouble(i));
                case DOUBLE -> proto.addDoubleData(tensor.asDouble(i));
                case LONG -> proto.addInt64Data(tensor.asLong(i));
                default -> proto.addInt32Data((int) tensor.asLong(i));
            }
        }
        return proto.build();
    }

    public TinyModel node(String operator, String inputs, String outputs, Object... attributes) {
        return named("", operator, inputs, outputs, attributes);
    }

    /** Adds a node; input and output names are separated by spaces, "-" is an absent input. */
    public TinyModel named(String name, String operator, String inputs, String outputs, Object... attributes) {
        int colon = operator.indexOf(':');
        NodeProto.Builder node = NodeProto.newBuilder()
                .setName(name)
                .setOpType(operator.substring(colon + 1))
                .setDomain(colon < 0 ? "" : operator.substring(0, colon));
        names(inputs).forEach(node::addInput);
        names(outputs).forEach(node::addOutput);
        for (int i = 0; i < attributes.length; i += 2) {
            node.addAttribute(attribute((String) attributes[i], attributes[i + 1]));
        }
        graph.addNode(node);
        return this;
    }

    /** A node on its own, without inputs. */
    public static OnnxNode singleNode(String operator, Object... attributes) {
        return namedNode("node", operator, attributes);
    }

    public static OnnxNode namedNode(String name, String operator, Object... attributes) {
        TinyModel model = new TinyModel(14).named(name, operator, "", "out", attributes);
        return new OnnxNode(model.graph.getNode(0));
    }

    private static List<String> names(String text) {
        return text.isEmpty()
                ? List.of()
                : Arrays.stream(text.split(" "))
                        .map(name -> name.equals("-") ? "" : name)
                        .toList();
    }

    private static AttributeProto attribute(String name, Object value) {
        AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name);
        if (value instanceof Integer number) {
            attribute.setType(AttributeProto.AttributeType.INT).setI(number);
        } else if (value instanceof Float number) {
            attribute.setType(AttributeProto.AttributeType.FLOAT).setF(number);
        } else if (value instanceof long[] numbers) {
            attribute.setType(AttributeProto.AttributeType.INTS);
            Arrays.stream(numbers).forEach(attribute::addInts);
        } else if (value instanceof HostTensor tensor) {
            attribute.setType(AttributeProto.AttributeType.TENSOR).setT(tensor("", tensor));
        } else if (value instanceof TinyModel body) {
            attribute.setType(AttributeProto.AttributeType.GRAPH).setG(body.graph);
        } else {
            attribute.setType(AttributeProto.AttributeType.STRING).setS(ByteString.copyFromUtf8((String) value));
        }
        return attribute.build();
    }

    /** Turns the nodes around: ONNX Runtime accepts any order. */
    public TinyModel reversed() {
        List<NodeProto> nodes = new ArrayList<>(graph.getNodeList());
        Collections.reverse(nodes);
        graph.clearNode().addAllNode(nodes);
        return this;
    }

    public ModelProto proto() {
        return ModelProto.newBuilder()
                .setIrVersion(7)
                .setProducerName("tiny")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
                .addOpsetImport(OperatorSetIdProto.newBuilder()
                        .setDomain("com.microsoft")
                        .setVersion(1))
                .setGraph(graph)
                .build();
    }

    public Path write(Path folder) {
        try {
            Path file = Files.createTempFile(folder, "tiny", ".onnx");
            return Files.write(file, proto().toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
