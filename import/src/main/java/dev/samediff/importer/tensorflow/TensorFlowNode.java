package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tensorflow.framework.AttrValue;
import org.tensorflow.framework.DataType;
import org.tensorflow.framework.NodeDef;

/** One node of a TensorFlow graph, with typed access to its attributes. */
final class TensorFlowNode {
    private final NodeDef proto;
    private final List<String> inputs = new ArrayList<>();

    TensorFlowNode(NodeDef proto) {
        this.proto = proto;
        for (String input : proto.getInputList()) {
            if (!input.startsWith("^")) {
                inputs.add(tensor(input));
            }
        }
    }

    /** Returns the usual form of a tensor's name: without ":0". */
    static String tensor(String name) {
        return name.endsWith(":0") ? name.substring(0, name.length() - 2) : name;
    }

    /** Returns the name of the node that writes a tensor. */
    static String node(String tensor) {
        int colon = tensor.lastIndexOf(':');
        return colon < 0 ? tensor : tensor.substring(0, colon);
    }

    /** Returns which output of its node a tensor is. */
    static int output(String tensor) {
        int colon = tensor.lastIndexOf(':');
        try {
            return colon < 0 ? 0 : Integer.parseInt(tensor.substring(colon + 1));
        } catch (NumberFormatException e) {
            throw new InvalidInputException(
                    "'" + tensor + "' is not the name of a tensor; names end in ':<number>'", e);
        }
    }

    /** Returns the name of one of its outputs. */
    String output(int index) {
        return index == 0 ? name() : name() + ":" + index;
    }

    NodeDef proto() {
        return proto;
    }

    String name() {
        return proto.getName();
    }

    String operator() {
        return proto.getOp();
    }

    /** Returns the tensors it reads; control inputs are left out. */
    List<String> inputs() {
        return inputs;
    }

    Map<String, AttrValue> attributes() {
        return proto.getAttrMap();
    }

    @Nullable
    AttrValue attribute(String name) {
        return proto.getAttrMap().get(name);
    }

    boolean truth(String name, boolean otherwise) {
        AttrValue value = attribute(name);
        return value == null ? otherwise : value.getB();
    }

    long integer(String name, long otherwise) {
        AttrValue value = attribute(name);
        return value == null ? otherwise : value.getI();
    }

    float real(String name, float otherwise) {
        AttrValue value = attribute(name);
        return value == null ? otherwise : value.getF();
    }

    String text(String name, String otherwise) {
        AttrValue value = attribute(name);
        return value == null ? otherwise : value.getS().toStringUtf8();
    }

    /** Returns a list of whole numbers, empty if absent. */
    long[] integers(String name) {
        AttrValue value = attribute(name);
        return value == null
                ? new long[0]
                : value.getList().getIList().stream().mapToLong(Long::longValue).toArray();
    }

    DataType type(String name, DataType otherwise) {
        AttrValue value = attribute(name);
        return value == null ? otherwise : TensorFlowTypes.plain(value.getType());
    }

    @Override
    public String toString() {
        return operator() + " '" + name() + "'";
    }
}
