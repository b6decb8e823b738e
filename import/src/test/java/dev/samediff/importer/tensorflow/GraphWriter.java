package dev.samediff.importer.tensorflow;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.protobuf.ByteString;
import org.tensorflow.framework.AttrValue;
import org.tensorflow.framework.DataType;
import org.tensorflow.framework.GraphDef;
import org.tensorflow.framework.NodeDef;
import org.tensorflow.framework.TensorProto;
import org.tensorflow.framework.TensorShapeProto;

/** Writes TensorFlow graphs node by node; TensorFlow checks them when it loads them. */
public final class GraphWriter {
    /** How weights stand in the graph. */
    public enum Weights {
        /** As constants behind an Identity, as freezing leaves them. */
        FROZEN,
        /** As variables of TensorFlow 1. */
        REFERENCE,
        /** As resource variables. */
        RESOURCE
    }

    private final Weights weights;
    private final GraphDef.Builder graph = GraphDef.newBuilder();
    private final Map<String, INDArray> values = new LinkedHashMap<>();
    private int numbers;

    public GraphWriter(Weights weights) {
        this.weights = weights;
        graph.getVersionsBuilder().setProducer(1766);
    }

    public GraphDef graph() {
        return graph.build();
    }

    GraphDef.Builder builder() {
        return graph;
    }

    /** Values of the weights by name. */
    public Map<String, INDArray> values() {
        return values;
    }

    /** Adds a node; attributes are pairs of name and value. Returns its name. */
    public String node(String operator, String name, List<String> inputs, Object... attributes) {
        graph.addNode(nodeDef(operator, name, inputs, attributes));
        return name;
    }

    static NodeDef nodeDef(String operator, String name, List<String> inputs, Object... attributes) {
        NodeDef.Builder node =
                NodeDef.newBuilder().setOp(operator).setName(name).addAllInput(inputs);
        for (int i = 0; i < attributes.length; i += 2) {
            node.putAttr((String) attributes[i], attribute(attributes[i + 1]));
        }
        return node.build();
    }

    /** Adds a node of FLOAT tensors with no attribute but T. */
    public String op(String operator, String name, String... inputs) {
        return node(operator, name, List.of(inputs), "T", DataType.DT_FLOAT);
    }

    /** Adds a node of INT32 tensors with no attribute but T. */
    public String whole(String operator, String name, String... inputs) {
        return node(operator, name, List.of(inputs), "T", DataType.DT_INT32);
    }

    /** Adds several inputs to one node of a list operator. */
    public String list(String operator, String name, DataType type, List<String> inputs, Object... more) {
        Object[] attributes = new Object[more.length + 4];
        System.arraycopy(more, 0, attributes, 4, more.length);
        attributes[0] = "T";
        attributes[1] = type;
        attributes[2] = "N";
        attributes[3] = operator.equals("ConcatV2") ? inputs.size() - 1 : inputs.size();
        return node(operator, name, inputs, attributes);
    }

    public String placeholder(String name, DataType type, long... shape) {
        return node("Placeholder", name, List.of(), "dtype", type, "shape", shape(shape));
    }

    public String constant(String name, INDArray value) {
        TensorProto tensor = tensor(value);
        return node("Const", name, List.of(), "dtype", tensor.getDtype(), "value", tensor);
    }

    /** An INT32 vector. */
    public String ints(int... values) {
        TensorProto.Builder tensor =
                TensorProto.newBuilder().setDtype(DataType.DT_INT32).setTensorShape(shape(values.length));
        for (int value : values) {
            tensor.addIntVal(value);
        }
        return node("Const", "ints_" + numbers++, List.of(), "dtype", DataType.DT_INT32, "value", tensor.build());
    }

    /** An INT32 number without axes. */
    public String number(int value) {
        TensorProto tensor = TensorProto.newBuilder()
                .setDtype(DataType.DT_INT32)
                .setTensorShape(shape())
                .addIntVal(value)
                .build();
        return node("Const", "number_" + numbers++, List.of(), "dtype", DataType.DT_INT32, "value", tensor);
    }

    /** A FLOAT number without axes. */
    public String number(double value) {
        TensorProto tensor = TensorProto.newBuilder()
                .setDtype(DataType.DT_FLOAT)
                .setTensorShape(shape())
                .addFloatVal((float) value)
                .build();
        return node("Const", "number_" + numbers++, List.of(), "dtype", DataType.DT_FLOAT, "value", tensor);
    }

    /** A FLOAT weight as it is read. */
    public String weight(String name, INDArray value) {
        if (values.put(name, value) != null) {
            return weights == Weights.RESOURCE ? name + "/Read/ReadVariableOp" : name + "/read";
        }
        switch (weights) {
            case FROZEN -> constant(name, value);
            case REFERENCE ->
                node("VariableV2", name, List.of(), "dtype", DataType.DT_FLOAT, "shape", shape(value.shape()));
            default -> {
                handle(name, value);
                return node("ReadVariableOp", name + "/Read/ReadVariableOp", List.of(name), "dtype", DataType.DT_FLOAT);
            }
        }
        return op("Identity", name + "/read", name);
    }

    /** A resource variable that is not read yet. */
    public String handle(String name, INDArray value) {
        values.put(name, value);
        return node(
                "VarHandleOp",
                name,
                List.of(),
                "dtype",
                DataType.DT_FLOAT,
                "shape",
                shape(value.shape()),
                "shared_name",
                name);
    }

    static TensorProto tensor(INDArray value) {
        INDArray flat = value.dup('c').reshape(value.length());
        int count = (int) value.length();
        ByteBuffer bytes = ByteBuffer.allocate(8 * count).order(ByteOrder.LITTLE_ENDIAN);
        DataType type = switch (value.dataType()) {
            case FLOAT -> DataType.DT_FLOAT;
            case LONG -> DataType.DT_INT64;
            case INT -> DataType.DT_INT32;
            case BOOL -> DataType.DT_BOOL;
            default -> throw new IllegalArgumentException(value.dataType().toString());
        };
        for (int i = 0; i < count; i++) {
            switch (type) {
                case DT_FLOAT -> bytes.putFloat(flat.getFloat(i));
                case DT_INT64 -> bytes.putLong(flat.getLong(i));
                case DT_INT32 -> bytes.putInt(flat.getInt(i));
                default -> bytes.put((byte) flat.getInt(i));
            }
        }
        return TensorProto.newBuilder()
                .setDtype(type)
                .setTensorShape(shape(value.shape()))
                .setTensorContent(ByteString.copyFrom(bytes.flip()))
                .build();
    }

    static TensorShapeProto shape(long... sizes) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (long size : sizes) {
            shape.addDimBuilder().setSize(size);
        }
        return shape.build();
    }

    static AttrValue attribute(Object value) {
        AttrValue.Builder attribute = AttrValue.newBuilder();
        if (value instanceof AttrValue given) {
            return given;
        } else if (value instanceof DataType type) {
            attribute.setType(type);
        } else if (value instanceof Boolean truth) {
            attribute.setB(truth);
        } else if (value instanceof Integer || value instanceof Long) {
            attribute.setI(((Number) value).longValue());
        } else if (value instanceof Float number) {
            attribute.setF(number);
        } else if (value instanceof String text) {
            attribute.setS(ByteString.copyFromUtf8(text));
        } else if (value instanceof TensorProto tensor) {
            attribute.setTensor(tensor);
        } else if (value instanceof TensorShapeProto shape) {
            attribute.setShape(shape);
        } else if (value instanceof DataType[] types) {
            attribute.getListBuilder().addAllType(List.of(types));
        } else if (value instanceof long[] numbers) {
            AttrValue.ListValue.Builder list = attribute.getListBuilder();
            for (long number : numbers) {
                list.addI(number);
            }
        } else {
            throw new IllegalArgumentException(value.getClass().toString());
        }
        return attribute.build();
    }
}
