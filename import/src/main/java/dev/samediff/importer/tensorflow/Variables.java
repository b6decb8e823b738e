package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.protobuf.ByteString;
import org.nd4j.shade.protobuf.CodedInputStream;
import org.nd4j.shade.protobuf.WireFormat;
import org.tensorflow.framework.TensorProto;

/**
 * Which tensor of the checkpoint each variable has: the one that the graph's own restore function assigns to it; else the
 * one of the tracked object with the variable's name; else the one called like the variable.
 */
final class Variables {
    private static final Set<String> STORED = Set.of("VarHandleOp", "VariableV2", "Variable");
    private static final Set<String> PASSING = Set.of("Identity", "IdentityN", "Cast");
    private static final Set<String> ASSIGNING = Set.of("AssignVariableOp", "Assign");
    private static final String SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE";

    private final Map<String, TensorFlowNode> nodes;
    private final @Nullable TensorBundle bundle;
    private final Map<String, String> restored = new HashMap<>();
    private final Map<String, String> tracked = new HashMap<>();

    Variables(Map<String, TensorFlowNode> nodes, @Nullable TensorBundle bundle) {
        this.nodes = nodes;
        this.bundle = bundle;
        if (bundle != null) {
            nodes.values().stream()
                    .filter(node ->
                            ASSIGNING.contains(node.operator()) && node.inputs().size() > 1)
                    .forEach(this::followRestore);
            readObjectGraph(bundle.objectGraph());
        }
    }

    /** Tells whether a node is a variable. */
    static boolean isVariable(TensorFlowNode node) {
        return STORED.contains(node.operator());
    }

    /** Tells whether the values of variables are there. */
    boolean areStored() {
        return bundle != null;
    }

    /** Returns the name a variable has for the user. */
    String name(TensorFlowNode variable) {
        String shared = variable.text("shared_name", "");
        return shared.isEmpty() ? variable.name() : shared;
    }

    /**
     * Returns the value of a variable.
     *
     * @throws InvalidInputException if the checkpoint has none for it
     */
    StoredTensor value(TensorFlowNode variable) {
        TensorBundle checkpoint = Objects.requireNonNull(bundle);
        String name = name(variable);
        for (String key : new String[] {
            restored.getOrDefault(variable.name(), ""),
            tracked.getOrDefault(name, ""),
            name,
            variable.name(),
            name + SUFFIX
        }) {
            if (checkpoint.keys().contains(key)) {
                return checkpoint.tensor(key);
            }
        }
        throw new InvalidInputException("variable '" + name + "' (node '" + variable.name()
                + "') has no value in the checkpoint, which has " + Names.some(checkpoint.keys())
                + "; save the model again with this variable initialised");
    }

    /** AssignVariableOp(variable, Identity(RestoreV2:i)) means the i-th of the restored names. */
    private void followRestore(TensorFlowNode assign) {
        String variable = source(assign.inputs().get(0));
        String value = source(assign.inputs().get(1));
        TensorFlowNode restore = nodes.get(TensorFlowNode.node(value));
        if (restore == null || !restore.operator().equals("RestoreV2")) {
            return;
        }
        TensorFlowNode names = nodes.get(source(restore.inputs().get(1)));
        if (names == null || names.attribute("value") == null) {
            return;
        }
        TensorProto listed = Objects.requireNonNull(names.attribute("value")).getTensor();
        int index = TensorFlowNode.output(value);
        if (index < listed.getStringValCount()) {
            restored.putIfAbsent(
                    TensorFlowNode.node(variable), listed.getStringVal(index).toStringUtf8());
        }
    }

    /** The tensor behind nodes that only pass it on. */
    private String source(String tensor) {
        String at = tensor;
        Set<String> seen = new HashSet<>();
        while (seen.add(at)) {
            TensorFlowNode node = nodes.get(TensorFlowNode.node(at));
            if (node == null || !PASSING.contains(node.operator())) {
                return at;
            }
            List<String> inputs = node.inputs();
            at = inputs.get(Math.min(TensorFlowNode.output(at), inputs.size() - 1));
        }
        return at;
    }

    /** TrackableObjectGraph: nodes (1), each with attributes (2): full name (2) and checkpoint key (3). */
    private void readObjectGraph(ByteString graph) {
        Set<String> ambiguous = new HashSet<>();
        try {
            for (ByteString node : fields(graph, 1)) {
                for (ByteString attribute : fields(node, 2)) {
                    List<ByteString> names = fields(attribute, 2);
                    List<ByteString> keys = fields(attribute, 3);
                    if (names.isEmpty() || keys.isEmpty()) {
                        continue;
                    }
                    String name = names.get(0).toStringUtf8();
                    String before = tracked.put(name, keys.get(0).toStringUtf8());
                    if (before != null && !before.equals(tracked.get(name))) {
                        ambiguous.add(name);
                    }
                }
            }
        } catch (IOException e) {
            throw new InvalidInputException(
                    "the checkpoint's object graph is damaged (" + e.getMessage() + "); save the model again", e);
        }
        tracked.keySet().removeAll(ambiguous);
    }

    private static List<ByteString> fields(ByteString message, int number) throws IOException {
        List<ByteString> found = new java.util.ArrayList<>();
        CodedInputStream in = message.newCodedInput();
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (tag == (number << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED)) {
                found.add(in.readBytes());
            } else {
                in.skipField(tag);
            }
        }
        return found;
    }
}
