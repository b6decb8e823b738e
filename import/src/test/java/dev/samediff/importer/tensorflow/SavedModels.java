package dev.samediff.importer.tensorflow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.protobuf.ByteString;
import org.tensorflow.Graph;
import org.tensorflow.Session;
import org.tensorflow.framework.DataType;
import org.tensorflow.framework.GraphDef;
import org.tensorflow.framework.MetaGraphDef;
import org.tensorflow.framework.SavedModel;
import org.tensorflow.framework.SignatureDef;
import org.tensorflow.framework.TensorInfo;
import org.tensorflow.framework.TensorProto;
import org.tensorflow.proto.TrackableObjectGraphOuterClass.TrackableObjectGraph;

/** SavedModel folders whose checkpoints TensorFlow itself writes. */
public final class SavedModels {
    private static final String OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH";

    private SavedModels() {}

    /**
     * Writes a folder.
     *
     * @param graph the graph of saved_model.pb
     * @param values the variables' values by the keys of the checkpoint
     * @param objects names of variables by keys of the checkpoint, for the object graph; empty: none
     * @param inputs tensors by the signature's keys
     * @param outputs tensors by the signature's keys
     */
    public static Path write(
            Path folder,
            GraphDef graph,
            Map<String, INDArray> values,
            Map<String, String> objects,
            Map<String, TensorInfo> inputs,
            Map<String, TensorInfo> outputs) {
        SignatureDef signature = SignatureDef.newBuilder()
                .putAllInputs(inputs)
                .putAllOutputs(outputs)
                .build();
        SavedModel model = SavedModel.newBuilder()
                .setSavedModelSchemaVersion(1)
                .addMetaGraphs(MetaGraphDef.newBuilder()
                        .setMetaInfoDef(MetaGraphDef.MetaInfoDef.newBuilder()
                                .addTags("serve")
                                .setTensorflowVersion("2.16.2"))
                        .setGraphDef(graph)
                        .putSignatureDef("serving_default", signature))
                .build();
        try {
            Files.createDirectories(folder.resolve("variables"));
            Files.write(folder.resolve("saved_model.pb"), model.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        save(folder.resolve("variables").resolve("variables"), values, objects);
        return folder;
    }

    /** What a signature says about a tensor. */
    public static TensorInfo info(String tensor, DataType type, long... shape) {
        return TensorInfo.newBuilder()
                .setName(tensor)
                .setDtype(type)
                .setTensorShape(GraphWriter.shape(shape))
                .build();
    }

    private static void save(Path prefix, Map<String, INDArray> values, Map<String, String> objects) {
        Map<String, String> tensors = new LinkedHashMap<>();
        GraphWriter writer = new GraphWriter(GraphWriter.Weights.FROZEN);
        values.forEach((key, value) -> tensors.put(key, writer.constant("value_" + tensors.size(), value)));
        if (!objects.isEmpty()) {
            tensors.put(OBJECTS, texts(writer, "objects", true, graph(objects)));
        }
        List<ByteString> keys =
                tensors.keySet().stream().map(ByteString::copyFromUtf8).toList();
        List<String> inputs = new ArrayList<>(List.of(
                texts(writer, "prefix", true, List.of(ByteString.copyFromUtf8(prefix.toString()))),
                texts(writer, "keys", false, keys),
                texts(
                        writer,
                        "slices",
                        false,
                        keys.stream().map(key -> ByteString.EMPTY).toList())));
        inputs.addAll(tensors.values());
        DataType[] types = new DataType[keys.size()];
        int at = 0;
        for (String key : tensors.keySet()) {
            types[at++] = key.equals(OBJECTS)
                    ? DataType.DT_STRING
                    : GraphWriter.tensor(values.get(key)).getDtype();
        }
        writer.node("SaveV2", "save", inputs, "dtypes", types);
        try (Graph graph = TensorFlowRuntime.graph(writer.graph());
                Session session = new Session(graph)) {
            TensorFlowRuntime.run(session, Map.of(), List.of("save"));
        }
    }

    private static List<ByteString> graph(Map<String, String> objects) {
        TrackableObjectGraph.Builder graph = TrackableObjectGraph.newBuilder();
        objects.forEach((name, key) -> graph.addNodesBuilder()
                .addAttributesBuilder()
                .setName("VARIABLE_VALUE")
                .setFullName(name)
                .setCheckpointKey(key));
        return List.of(ByteString.copyFrom(graph.build().toByteArray()));
    }

    /** Adds what assigns restored tensors to resource variables, as tf.saved_model.save writes it. */
    public static void addRestore(GraphWriter writer, Map<String, String> keysByVariable) {
        List<ByteString> keys =
                keysByVariable.values().stream().map(ByteString::copyFromUtf8).toList();
        DataType[] types = new DataType[keys.size()];
        java.util.Arrays.fill(types, DataType.DT_FLOAT);
        List<String> inputs = List.of(
                texts(writer, "restore/prefix", true, List.of(ByteString.copyFromUtf8("checkpoint"))),
                texts(writer, "restore/names", false, keys),
                texts(
                        writer,
                        "restore/slices",
                        false,
                        keys.stream().map(key -> ByteString.EMPTY).toList()));
        writer.node("RestoreV2", "restore/RestoreV2", inputs, "dtypes", types);
        int index = 0;
        for (String variable : keysByVariable.keySet()) {
            String value = writer.op("Identity", "restore/Identity_" + index, "restore/RestoreV2:" + index);
            writer.node(
                    "AssignVariableOp",
                    "restore/Assign_" + index++,
                    List.of(variable, value),
                    "dtype",
                    DataType.DT_FLOAT);
        }
    }

    static String texts(GraphWriter writer, String name, boolean single, List<ByteString> texts) {
        TensorProto tensor = TensorProto.newBuilder()
                .setDtype(DataType.DT_STRING)
                .setTensorShape(single ? GraphWriter.shape() : GraphWriter.shape(texts.size()))
                .addAllStringVal(texts)
                .build();
        return writer.node("Const", name, List.of(), "dtype", DataType.DT_STRING, "value", tensor);
    }

    /** The same graph as the body of a function, called with the inputs and with handles of the variables. */
    public static GraphDef asFunction(
            GraphWriter body,
            Map<String, DataType> inputs,
            Map<String, String> outputs,
            Map<String, INDArray> variables) {
        org.tensorflow.framework.FunctionDef.Builder function = org.tensorflow.framework.FunctionDef.newBuilder();
        var signature = function.getSignatureBuilder().setName("__inference_serving_1");
        GraphWriter outer = new GraphWriter(GraphWriter.Weights.RESOURCE);
        List<String> given = new ArrayList<>();
        List<DataType> types = new ArrayList<>();
        inputs.forEach((name, type) -> {
            signature.addInputArgBuilder().setName(name).setType(type);
            given.add(outer.placeholder("serving_default_" + name, type, -1, -1));
            types.add(type);
        });
        Map<String, String> arguments = new LinkedHashMap<>();
        variables.forEach((name, value) -> {
            String argument = "resource_" + arguments.size();
            arguments.put(name, argument);
            signature.addInputArgBuilder().setName(argument).setType(DataType.DT_RESOURCE);
            given.add(outer.handle(name, value));
            types.add(DataType.DT_RESOURCE);
        });
        body.graph().getNodeList().forEach(node -> {
            if (node.getOp().equals("Placeholder") || node.getOp().equals("VarHandleOp")) {
                return;
            }
            var copy = node.toBuilder().clearInput();
            node.getInputList()
                    .forEach(input -> copy.addInput(
                            inputs.containsKey(input) ? input : arguments.getOrDefault(input, inBody(input))));
            function.addNodeDef(copy);
        });
        outputs.forEach((key, tensor) -> {
            signature.addOutputArgBuilder().setName(key).setType(DataType.DT_FLOAT);
            function.putRet(key, inBody(tensor));
        });
        DataType[] results = new DataType[outputs.size()];
        java.util.Arrays.fill(results, DataType.DT_FLOAT);
        outer.builder().getLibraryBuilder().addFunction(function);
        outer.node(
                "StatefulPartitionedCall",
                "StatefulPartitionedCall",
                given,
                "Tin",
                types.toArray(new DataType[0]),
                "Tout",
                results,
                "f",
                org.tensorflow.framework.AttrValue.newBuilder()
                        .setFunc(org.tensorflow.framework.NameAttrList.newBuilder()
                                .setName("__inference_serving_1"))
                        .build());
        return outer.graph();
    }

    /** A tensor of a body: node, output argument, index; all nodes of these graphs have one output argument, "output". */
    private static String inBody(String tensor) {
        String node = TensorFlowNode.node(tensor);
        String argument = node.endsWith("ReadVariableOp") ? "value" : argument(node);
        return node + ":" + argument + ":" + TensorFlowNode.output(tensor);
    }

    private static String argument(String node) {
        String last = node.substring(node.lastIndexOf('/') + 1);
        return last.startsWith("MatMul") || last.startsWith("Prod") ? argumentOf(last) : "output";
    }

    private static String argumentOf(String last) {
        return last.startsWith("MatMul") ? "product" : "output";
    }
}
