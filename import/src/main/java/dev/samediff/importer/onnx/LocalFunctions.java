package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.FunctionProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import org.nd4j.shade.protobuf.ByteString;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;
import org.nd4j.shade.protobuf.UnknownFieldSet;

/** Replaces calls of a model's local functions, as torch's dynamo exporter writes them, by the functions' bodies. */
final class LocalFunctions {
    /** Field attribute_proto of FunctionProto, newer than the class: attributes with defaults. */
    private static final int DEFAULTS_FIELD = 11;

    private static final int DEEPEST = 32;
    private static final int MOST_NODES = 200_000;

    /** Numbers of the fields that tell functions of one name apart. */
    private static final int FUNCTION_OVERLOAD = 13;

    private static final int NODE_OVERLOAD = 8;

    private final Map<String, FunctionProto> functions = new HashMap<>();
    private final Inlining inlining;
    private final List<NodeProto> nodes = new ArrayList<>();
    private int calls;

    private LocalFunctions(ModelProto model) {
        for (FunctionProto function : model.getFunctionsList()) {
            functions.put(
                    key(function.getDomain(), function.getName(), text(function.getUnknownFields(), FUNCTION_OVERLOAD)),
                    function);
        }
        this.inlining = new Inlining(model.getGraph());
    }

    /**
     * Returns the model without calls of local functions.
     *
     * @throws InvalidInputException if functions call each other without end
     */
    static ModelProto inlined(ModelProto model) {
        if (model.getFunctionsCount() == 0) {
            return model;
        }
        LocalFunctions functions = new LocalFunctions(model);
        model.getGraph().getNodeList().forEach(node -> functions.add(node, 0));
        GraphProto graph = model.getGraph().toBuilder()
                .clearNode()
                .addAllNode(functions.nodes)
                .build();
        return model.toBuilder().setGraph(graph).clearFunctions().build();
    }

    private static String key(String domain, String name, String overload) {
        return domain + ":" + name + ":" + overload;
    }

    /** A text of a field that ND4J's classes do not know. */
    private static String text(UnknownFieldSet fields, int number) {
        List<ByteString> found = fields.getField(number).getLengthDelimitedList();
        return found.isEmpty() ? "" : found.get(found.size() - 1).toStringUtf8();
    }

    private void add(NodeProto node, int depth) {
        FunctionProto function =
                functions.get(key(node.getDomain(), node.getOpType(), text(node.getUnknownFields(), NODE_OVERLOAD)));
        if (function == null) {
            nodes.add(node);
        } else if (depth > DEEPEST || nodes.size() > MOST_NODES || calls++ > MOST_NODES) {
            throw new InvalidInputException("local function " + function.getName() + ", called by node '"
                    + node.getName() + "', " + (depth > DEEPEST ? "calls itself" : "makes too many nodes or calls")
                    + "; export the model with its functions inlined");
        } else {
            expand(node, function, depth);
        }
    }

    private void expand(NodeProto call, FunctionProto function, int depth) {
        String prefix = inlining.prefix(call);
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < function.getInputCount(); i++) {
            given.put(function.getInput(i), i < call.getInputCount() ? call.getInput(i) : "");
        }
        List<NodeProto> passing = new ArrayList<>();
        for (int i = 0; i < Math.min(function.getOutputCount(), call.getOutputCount()); i++) {
            String known = given.get(function.getOutput(i));
            if (known != null) {
                passing.add(identity(prefix + "/" + i, known, call.getOutput(i)));
            } else if (!call.getOutput(i).isEmpty()) {
                given.put(function.getOutput(i), call.getOutput(i));
            }
        }
        Map<String, AttributeProto> attributes = defaults(function);
        call.getAttributeList().forEach(attribute -> attributes.put(attribute.getName(), attribute));
        Map<String, String> names = inlining.rename(function.getNodeList(), prefix, given);
        ModuleCalls.Scope scope = new ModuleCalls(functions.values()).scope(call, function);
        for (NodeProto node : function.getNodeList()) {
            NodeProto.Builder copy = Inlining.copy(node, prefix, names);
            scope.name(node).ifPresent(copy::setName);
            Inlining.resolve(copy, attributes);
            if (!copy.getUnknownFields().hasField(OnnxNode.METADATA_FIELD)) {
                copy.setUnknownFields(copy.getUnknownFields().toBuilder()
                        .mergeField(
                                OnnxNode.METADATA_FIELD, call.getUnknownFields().getField(OnnxNode.METADATA_FIELD))
                        .build());
            }
            add(copy.build(), depth + 1);
        }
        nodes.addAll(passing);
    }

    /** A node that hands a value on under another name. */
    static NodeProto identity(String name, String input, String output) {
        return NodeProto.newBuilder()
                .setName(name)
                .setOpType("Identity")
                .addInput(input)
                .addOutput(output)
                .build();
    }

    private static Map<String, AttributeProto> defaults(FunctionProto function) {
        Map<String, AttributeProto> defaults = new HashMap<>();
        try {
            for (ByteString bytes :
                    function.getUnknownFields().getField(DEFAULTS_FIELD).getLengthDelimitedList()) {
                AttributeProto attribute = AttributeProto.parseFrom(bytes);
                defaults.put(attribute.getName(), attribute);
            }
        } catch (InvalidProtocolBufferException e) {
            throw new InvalidInputException(
                    "local function " + function.getName()
                            + " has damaged default attributes; export the model with its functions inlined",
                    e);
        }
        return defaults;
    }
}
