package dev.samediff.importer.onnx;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.protobuf.ByteString;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;

/** One node: an operator with the names of the values it reads and writes, and typed access to its attributes. */
public final class OnnxNode {
    /** Number of the field metadata_props, which format version 10 added. */
    static final int METADATA_FIELD = 9;

    private final NodeProto proto;
    private final Map<String, AttributeProto> attributes = new HashMap<>();

    /** Wraps a node of the file. */
    public OnnxNode(NodeProto proto) {
        this.proto = proto;
        proto.getAttributeList().forEach(attribute -> attributes.put(attribute.getName(), attribute));
    }

    /**
     * Makes a node that is not in the file.
     *
     * @param name the node's name, for messages
     * @param operator the operator, with its domain in front unless that is ONNX's own
     * @param inputs number of inputs; their names mean nothing
     * @param outputs number of outputs
     * @param attributes values of type Integer, Long, Float, Double, String, long[] or float[]
     */
    public static OnnxNode of(String name, String operator, int inputs, int outputs, Map<String, ?> attributes) {
        int colon = operator.indexOf(':');
        NodeProto.Builder node = NodeProto.newBuilder()
                .setName(name)
                .setDomain(colon < 0 ? "" : operator.substring(0, colon))
                .setOpType(operator.substring(colon + 1));
        IntStream.range(0, inputs).forEach(i -> node.addInput("input " + i + " of " + name));
        IntStream.range(0, outputs).forEach(i -> node.addOutput("output " + i + " of " + name));
        attributes.forEach((key, value) -> node.addAttribute(attribute(key, value)));
        return new OnnxNode(node.build());
    }

    private static AttributeProto attribute(String name, Object value) {
        AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name);
        if (value instanceof Integer || value instanceof Long) {
            attribute.setType(AttributeProto.AttributeType.INT).setI(((Number) value).longValue());
        } else if (value instanceof Float || value instanceof Double) {
            attribute.setType(AttributeProto.AttributeType.FLOAT).setF(((Number) value).floatValue());
        } else if (value instanceof String text) {
            attribute.setType(AttributeProto.AttributeType.STRING).setS(ByteString.copyFromUtf8(text));
        } else if (value instanceof long[] numbers) {
            attribute.setType(AttributeProto.AttributeType.INTS);
            Arrays.stream(numbers).forEach(attribute::addInts);
        } else if (value instanceof float[] numbers) {
            attribute.setType(AttributeProto.AttributeType.FLOATS);
            for (float number : numbers) {
                attribute.addFloats(number);
            }
        } else {
            throw new IllegalArgumentException("attribute " + name + " of type " + value.getClass());
        }
        return attribute.build();
    }

    /** Returns the node's name, or that of its first output if it has none. */
    public String name() {
        return proto.getName().isEmpty() && proto.getOutputCount() > 0 ? proto.getOutput(0) : proto.getName();
    }

    /** Returns an entry of the node's metadata, which ND4J's classes do not know; null if there is none. */
    public @Nullable String metadata(String key) {
        try {
            for (ByteString bytes :
                    proto.getUnknownFields().getField(METADATA_FIELD).getLengthDelimitedList()) {
                StringStringEntryProto entry = StringStringEntryProto.parseFrom(bytes);
                if (entry.getKey().equals(key)) {
                    return entry.getValue();
                }
            }
            return null;
        } catch (InvalidProtocolBufferException notMetadata) {
            return null;
        }
    }

    /** Returns the operator, with its domain in front unless that is ONNX's own: {@code com.microsoft:FastGelu}. */
    public String operator() {
        String domain = proto.getDomain();
        return domain.isEmpty() || domain.equals("ai.onnx") ? proto.getOpType() : domain + ":" + proto.getOpType();
    }

    /** Returns the names of the values read; an empty name is an optional input that is absent. */
    public List<String> inputs() {
        return proto.getInputList();
    }

    /** Returns the names of the values written; an empty name is an optional output that is not wanted. */
    public List<String> outputs() {
        return proto.getOutputList();
    }

    /** Returns the name of one value read, empty if there is none. */
    public String input(int index) {
        return index < proto.getInputCount() ? proto.getInput(index) : "";
    }

    /** Returns the name of one value written, empty if there is none. */
    public String output(int index) {
        return index < proto.getOutputCount() ? proto.getOutput(index) : "";
    }

    /** Returns the attributes as they stand in the file, for comparing nodes. */
    public List<AttributeProto> attributes() {
        return proto.getAttributeList();
    }

    /** Tells whether the attribute is present. */
    public boolean has(String attribute) {
        return attributes.containsKey(attribute);
    }

    /** Returns a whole-number attribute. */
    public long integer(String attribute, long otherwise) {
        AttributeProto found = attributes.get(attribute);
        return found == null ? otherwise : found.getI();
    }

    /** Returns a floating-point attribute. */
    public float real(String attribute, float otherwise) {
        AttributeProto found = attributes.get(attribute);
        return found == null ? otherwise : found.getF();
    }

    /** Returns a text attribute. */
    public String text(String attribute, String otherwise) {
        AttributeProto found = attributes.get(attribute);
        return found == null ? otherwise : found.getS().toStringUtf8();
    }

    /** Returns a list of whole numbers, or null if the attribute is absent. */
    public long @Nullable [] integers(String attribute) {
        AttributeProto found = attributes.get(attribute);
        return found == null
                ? null
                : found.getIntsList().stream().mapToLong(Long::longValue).toArray();
    }

    /** Returns a list of floating-point numbers, or null if the attribute is absent. */
    public double @Nullable [] reals(String attribute) {
        AttributeProto found = attributes.get(attribute);
        return found == null
                ? null
                : found.getFloatsList().stream().mapToDouble(Float::doubleValue).toArray();
    }

    /** Returns a tensor attribute, or null if it is absent. */
    public @Nullable TensorProto tensor(String attribute) {
        AttributeProto found = attributes.get(attribute);
        return found == null || !found.hasT() ? null : found.getT();
    }

    @Override
    public String toString() {
        return operator() + " '" + name() + "'";
    }
}
