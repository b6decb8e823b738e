package dev.samediff.importer.cells;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx.TensorProto.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.protobuf.ByteString;
import org.tensorflow.framework.AttrValue;
import org.tensorflow.framework.GraphDef;
import org.tensorflow.framework.NodeDef;
import org.tensorflow.framework.TensorProto;
import org.tensorflow.framework.TensorShapeProto;

/**
 * One TensorFlow operator on numbers of one type in one situation.
 *
 * @param operator the operator
 * @param type the type that is varied
 * @param situation what is special about the numbers
 * @param inputs the inputs in order
 * @param attributes attributes of the node
 */
record TensorFlowCell(
        String operator, DataType type, String situation, List<Cell.Input> inputs, Map<String, Object> attributes) {
    /** Makes a cell; inputs are {@link Numbers}, or wrapped by {@link Cell#stored}; then attributes in pairs. */
    static TensorFlowCell of(String operator, DataType type, String situation, Object... arguments) {
        Cell cell = Cell.of(operator, type, situation, 0, 1, arguments);
        return new TensorFlowCell(operator, type, situation, cell.inputs(), cell.attributes());
    }

    /** TensorFlow's name of a type. */
    static org.tensorflow.framework.DataType name(DataType type) {
        return org.tensorflow.framework.DataType.valueOf(
                "DT_" + (type == DataType.FLOAT16 ? "HALF" : type.name()));
    }

    /** The graph, with its result called "y". */
    GraphDef graph(boolean open) {
        GraphDef.Builder graph = GraphDef.newBuilder();
        graph.getVersionsBuilder().setProducer(1766);
        List<String> names = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            Numbers numbers = java.util.Objects.requireNonNull(inputs.get(i).numbers());
            names.add("in" + i);
            graph.addNode(
                    inputs.get(i).parameter()
                            ? constant("in" + i, numbers)
                            : NodeDef.newBuilder()
                                    .setOp("Placeholder")
                                    .setName("in" + i)
                                    .putAttr("dtype", type(numbers.type()))
                                    .putAttr("shape", AttrValue.newBuilder()
                                            .setShape(shape(numbers, open))
                                            .build())
                                    .build());
        }
        NodeDef.Builder node = NodeDef.newBuilder().setOp(operator).setName("node").addAllInput(names);
        attributes.forEach((name, value) -> node.putAttr(name, attribute(value)));
        DataType result = result();
        graph.addNode(node);
        graph.addNode(NodeDef.newBuilder()
                .setOp("Identity")
                .setName("y")
                .addInput("node")
                .putAttr("T", type(result)));
        return graph.build();
    }

    /** The type of the result, which comparisons, places and casts have of their own. */
    private DataType result() {
        for (String name : new String[] {"DstT", "output_type", "out_type"}) {
            if (attributes.get(name) instanceof DataType given) {
                return given;
            }
        }
        boolean truth = operator.contains("Equal")
                || operator.startsWith("Less")
                || operator.startsWith("Greater")
                || operator.startsWith("Logical")
                || operator.equals("IsNan")
                || operator.equals("All")
                || operator.equals("Any");
        return truth ? DataType.BOOL : type;
    }

    Map<String, INDArray> feeds() {
        Map<String, INDArray> feeds = new LinkedHashMap<>();
        computed().forEach((name, numbers) -> feeds.put(name, numbers.array()));
        return feeds;
    }

    Map<String, Numbers> computed() {
        Map<String, Numbers> computed = new LinkedHashMap<>();
        for (int i = 0; i < inputs.size(); i++) {
            if (!inputs.get(i).parameter()) {
                computed.put("in" + i, java.util.Objects.requireNonNull(inputs.get(i).numbers()));
            }
        }
        return computed;
    }

    private static NodeDef constant(String name, Numbers numbers) {
        return NodeDef.newBuilder()
                .setOp("Const")
                .setName(name)
                .putAttr("dtype", type(numbers.type()))
                .putAttr("value", AttrValue.newBuilder().setTensor(tensor(numbers)).build())
                .build();
    }

    private static TensorProto tensor(Numbers numbers) {
        return TensorProto.newBuilder()
                .setDtype(name(numbers.type()))
                .setTensorShape(shape(numbers, false))
                .setTensorContent(numbers.proto("").getRawData())
                .build();
    }

    private static TensorShapeProto shape(Numbers numbers, boolean open) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        Arrays.stream(numbers.shape()).forEach(size -> shape.addDimBuilder().setSize(open && size != 1 ? -1 : size));
        return shape.build();
    }

    private static AttrValue type(DataType type) {
        return AttrValue.newBuilder().setType(name(type)).build();
    }

    private static AttrValue attribute(Object value) {
        AttrValue.Builder attribute = AttrValue.newBuilder();
        if (value instanceof DataType type) {
            attribute.setType(name(type));
        } else if (value instanceof Boolean truth) {
            attribute.setB(truth);
        } else if (value instanceof Integer number) {
            attribute.setI(number);
        } else if (value instanceof long[] numbers) {
            Arrays.stream(numbers).forEach(attribute.getListBuilder()::addI);
        } else {
            attribute.setS(ByteString.copyFromUtf8((String) value));
        }
        return attribute.build();
    }

    String title() {
        return operator + " of " + type + ", " + situation;
    }
}
