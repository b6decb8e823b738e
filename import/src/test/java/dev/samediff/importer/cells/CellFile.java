package dev.samediff.importer.cells;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.OperatorSetIdProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorShapeProto;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.protobuf.ByteString;

/** The ONNX file of a cell: its numbers as inputs of open or of known sizes, or stored. */
record CellFile(Cell cell, Mode mode) {
    /** How the numbers are given. */
    enum Mode {
        /** As inputs whose sizes the file leaves open, except those of one. */
        OPEN,
        /** As inputs of known sizes. */
        KNOWN,
        /** As initializers, so that everything is evaluated while importing. */
        STORED
    }

    private static final int IR_VERSION = 8;

    ModelProto model() {
        GraphProto.Builder graph = GraphProto.newBuilder().setName("cell");
        int colon = cell.operator().indexOf(':');
        NodeProto.Builder node = NodeProto.newBuilder()
                .setName("node")
                .setOpType(cell.operator().substring(colon + 1))
                .setDomain(colon < 0 ? "" : cell.operator().substring(0, colon));
        for (int i = 0; i < cell.inputs().size(); i++) {
            Cell.Input input = cell.inputs().get(i);
            String name = input.numbers() == null ? "" : "in" + i;
            node.addInput(name);
            if (input.numbers() == null) {
                continue;
            }
            if (input.parameter() || mode == Mode.STORED) {
                graph.addInitializer(input.numbers().proto(name));
            } else {
                graph.addInput(declared(name, input.numbers()));
            }
        }
        for (int i = 0; i < cell.outputs(); i++) {
            node.addOutput("out" + i);
            graph.addOutput(ValueInfoProto.newBuilder().setName("out" + i));
        }
        cell.attributes().forEach((name, value) -> node.addAttribute(attribute(name, value)));
        return ModelProto.newBuilder()
                .setIrVersion(IR_VERSION)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(cell.opset()))
                .addOpsetImport(OperatorSetIdProto.newBuilder()
                        .setDomain("com.microsoft")
                        .setVersion(1))
                .setGraph(graph.addNode(node))
                .build();
    }

    /** What the graph is fed with. */
    Map<String, INDArray> feeds() {
        Map<String, INDArray> feeds = new LinkedHashMap<>();
        for (int i = 0; i < cell.inputs().size(); i++) {
            Cell.Input input = cell.inputs().get(i);
            if (input.numbers() != null && !input.parameter() && mode != Mode.STORED) {
                feeds.put("in" + i, input.numbers().array());
            }
        }
        return feeds;
    }

    private ValueInfoProto declared(String name, Numbers numbers) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (int axis = 0; axis < numbers.shape().length; axis++) {
            long size = numbers.shape()[axis];
            TensorShapeProto.Dimension.Builder dimension = TensorShapeProto.Dimension.newBuilder();
            shape.addDim(
                    mode == Mode.OPEN && size != 1
                            ? dimension.setDimParam(name + "_" + axis)
                            : dimension.setDimValue(size));
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(numbers.type().getNumber())
                                .setShape(shape)))
                .build();
    }

    private static AttributeProto attribute(String name, Object value) {
        AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name);
        if (value instanceof Integer number) {
            attribute.setType(AttributeProto.AttributeType.INT).setI(number);
        } else if (value instanceof TensorProto.DataType type) {
            attribute.setType(AttributeProto.AttributeType.INT).setI(type.getNumber());
        } else if (value instanceof Float number) {
            attribute.setType(AttributeProto.AttributeType.FLOAT).setF(number);
        } else if (value instanceof long[] numbers) {
            attribute.setType(AttributeProto.AttributeType.INTS);
            Arrays.stream(numbers).forEach(attribute::addInts);
        } else if (value instanceof Numbers numbers) {
            attribute.setType(AttributeProto.AttributeType.TENSOR).setT(numbers.proto(""));
        } else {
            attribute.setType(AttributeProto.AttributeType.STRING).setS(ByteString.copyFromUtf8((String) value));
        }
        return attribute.build();
    }
}
