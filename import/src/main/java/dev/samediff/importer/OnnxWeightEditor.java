package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import onnx.Onnx;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.protobuf.ByteString;

/**
 * Replaces the numbers of weight tensors in an ONNX graph and leaves everything else as it is.
 *
 * <p>A tensor that only matrix products read, directly or through Identity and Transpose nodes, is replaced where it
 * stands. A tensor that something else reads as well (an embedding tied to the head) is kept, and the matrix products
 * get a tensor of their own.
 */
final class OnnxWeightEditor {
    private static final Set<String> PASSING = Set.of("Identity", "Transpose");

    private final Onnx.ModelProto.Builder model;
    private final Onnx.GraphProto.Builder graph;
    private final Map<String, Integer> initializers = new HashMap<>();
    private final Map<String, Integer> constantNodes = new HashMap<>();
    private final Map<String, List<Read>> readers = new HashMap<>();
    private final Set<String> names = new HashSet<>();

    /** One input of one node; node = -1: a graph output, or a use inside the body of an If, Loop or Scan. */
    private record Read(int node, int input) {
        static final Read ELSEWHERE = new Read(-1, -1);
    }

    OnnxWeightEditor(Onnx.ModelProto source) {
        this.model = source.toBuilder();
        this.graph = model.getGraphBuilder();
        for (int i = 0; i < graph.getInitializerCount(); i++) {
            initializers.put(graph.getInitializer(i).getName(), i);
        }
        for (int i = 0; i < graph.getNodeCount(); i++) {
            Onnx.NodeProto node = graph.getNode(i);
            if (node.getOpType().equals("Constant") && constantValue(node) >= 0) {
                constantNodes.put(node.getOutput(0), i);
            }
            for (int input = 0; input < node.getInputCount(); input++) {
                reader(node.getInput(input), new Read(i, input));
            }
            bodies(node).forEach(this::readInside);
            names.addAll(node.getOutputList());
        }
        graph.getOutputList().forEach(output -> reader(output.getName(), Read.ELSEWHERE));
        graph.getInputList().forEach(input -> names.add(input.getName()));
        names.addAll(initializers.keySet());
    }

    /** The model as it is now. */
    Onnx.ModelProto build() {
        return model.build();
    }

    /** Sets an entry of the model's metadata. */
    void metadata(String key, String value) {
        Onnx.StringStringEntryProto entry = Onnx.StringStringEntryProto.newBuilder()
                .setKey(key)
                .setValue(value)
                .build();
        for (int i = 0; i < model.getMetadataPropsCount(); i++) {
            if (model.getMetadataProps(i).getKey().equals(key)) {
                model.setMetadataProps(i, entry);
                return;
            }
        }
        model.addMetadataProps(entry);
    }

    /** The tensor of that name, an initializer or the value of a Constant node. */
    Onnx.TensorProto tensor(String name) {
        Integer initializer = initializers.get(name);
        if (initializer != null) {
            return graph.getInitializer(initializer);
        }
        Integer node = constantNodes.get(name);
        if (node != null) {
            return graph.getNode(node)
                    .getAttribute(constantValue(graph.getNode(node)))
                    .getT();
        }
        throw new InvalidInputException("The ONNX file has no weight tensor named " + name
                + "; write into the file that was imported (it has " + initializers.size() + " initializers)");
    }

    /**
     * Replaces a tensor for every matrix product that reads it.
     *
     * @param name of an initializer or of the output of a Constant node
     * @param owner what to name a new tensor after, should one be needed
     * @param values of the tensor's shape
     */
    void replaceInProducts(String name, String owner, INDArray values) {
        Onnx.TensorProto replacement = withValues(tensor(name), values);
        List<Read> products = new ArrayList<>();
        boolean exclusive = collectProducts(name, name, products);
        if (exclusive) {
            put(name, replacement);
            return;
        }
        if (products.isEmpty()) {
            throw new InvalidInputException("No MatMul or Gemm of the ONNX file reads tensor " + name
                    + ", so merged values for " + owner + " have no place; merge into linear layers only");
        }
        String fresh = freshName(owner);
        graph.addInitializer(replacement.toBuilder().setName(fresh));
        if (model.getIrVersion() < 4) {
            graph.addInput(declaration(fresh, replacement));
        }
        for (Read read : products) {
            graph.getNodeBuilder(read.node()).setInput(read.input(), fresh);
        }
    }

    /** Replaces a tensor for everything that reads it. */
    void replace(String name, INDArray values) {
        put(name, withValues(tensor(name), values));
    }

    /** Names of the tensors whose numbers lie in other files. */
    Set<String> external() {
        Set<String> external = new TreeSet<>();
        for (Onnx.TensorProto tensor : graph.getInitializerList()) {
            if (tensor.getDataLocation() == Onnx.TensorProto.DataLocation.EXTERNAL) {
                external.add(tensor.getName());
            }
        }
        return external;
    }

    /**
     * Adds the reads of a value that lead to matrix products only; true if there are no others. A Transpose whose
     * output also goes elsewhere cannot be redirected, because what follows it sees the tensor turned round.
     */
    private boolean collectProducts(String tensor, String value, List<Read> products) {
        boolean exclusive = true;
        for (Read read : readers.getOrDefault(value, List.of())) {
            if (read == Read.ELSEWHERE) {
                exclusive = false;
                continue;
            }
            Onnx.NodeProto node = graph.getNode(read.node());
            if (isProduct(node, read.input())) {
                products.add(read);
            } else if (PASSING.contains(node.getOpType())) {
                List<Read> behind = new ArrayList<>();
                if (collectProducts(tensor, node.getOutput(0), behind)) {
                    products.add(read);
                } else {
                    exclusive = false;
                    if (!behind.isEmpty() && node.getOpType().equals("Transpose")) {
                        throw new InvalidInputException("Tensor " + tensor + " of the ONNX file passes through the"
                                + " Transpose node " + node.getName() + " to a matrix product and to something else;"
                                + " export the model with constant folding to merge into it");
                    }
                    products.addAll(behind);
                }
            } else {
                exclusive = false;
            }
        }
        return exclusive;
    }

    private static boolean isProduct(Onnx.NodeProto node, int input) {
        return switch (node.getOpType()) {
            case "MatMul", "Gemm" -> input < 2;
            default -> false;
        };
    }

    private static Onnx.TensorProto withValues(Onnx.TensorProto tensor, INDArray values) {
        boolean single = tensor.getDataType() == Onnx.TensorProto.DataType.FLOAT_VALUE;
        if (!single && tensor.getDataType() != Onnx.TensorProto.DataType.DOUBLE_VALUE) {
            throw new InvalidInputException("Tensor " + tensor.getName() + " of the ONNX file has type "
                    + Onnx.TensorProto.DataType.forNumber(tensor.getDataType())
                    + "; only FLOAT and DOUBLE weights can be written back, so export the model in float32");
        }
        return tensor.toBuilder()
                .clearFloatData()
                .clearDoubleData()
                .clearExternalData()
                .clearDataLocation()
                .setRawData(littleEndian(values, single))
                .build();
    }

    private static ByteString littleEndian(INDArray values, boolean single) {
        INDArray flat = values.dup('c').reshape(values.length());
        int count = Math.toIntExact(flat.length());
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(count, single ? 4 : 8))
                
                .order(ByteOrder.LITTLE_ENDIAN);
        if (single) {
            bytes.asFloatBuffer().put(flat.toFloatVector());
        } else {
            bytes.asDoubleBuffer().put(flat.toDoubleVector());
        }
        return ByteString.copyFrom(bytes);
    }

    private void put(String name, Onnx.TensorProto replacement) {
        Integer initializer = initializers.get(name);
        if (initializer != null) {
            graph.setInitializer(initializer, replacement);
            return;
        }
        Onnx.NodeProto.Builder node = graph.getNodeBuilder(constantNodes.get(name));
        node.getAttributeBuilder(constantValue(node.build())).setT(replacement);
    }

    private String freshName(String wanted) {
        String fresh = wanted;
        for (int i = 1; !names.add(fresh); i++) {
            fresh = wanted + ".merged" + (i == 1 ? "" : i);
        }
        return fresh;
    }

    private static Onnx.ValueInfoProto declaration(String name, Onnx.TensorProto tensor) {
        Onnx.TensorShapeProto.Builder shape = Onnx.TensorShapeProto.newBuilder();
        tensor.getDimsList().forEach(size -> shape.addDimBuilder().setDimValue(size));
        Onnx.TypeProto.Tensor type = Onnx.TypeProto.Tensor.newBuilder()
                .setElemType(tensor.getDataType())
                .setShape(shape)
                .build();
        return Onnx.ValueInfoProto.newBuilder()
                .setName(name)
                .setType(Onnx.TypeProto.newBuilder().setTensorType(type))
                .build();
    }

    private void reader(String value, Read read) {
        readers.computeIfAbsent(value, v -> new ArrayList<>()).add(read);
    }

    private void readInside(Onnx.GraphProto body) {
        for (Onnx.NodeProto node : body.getNodeList()) {
            node.getInputList().forEach(input -> reader(input, Read.ELSEWHERE));
            bodies(node).forEach(this::readInside);
        }
        body.getOutputList().forEach(output -> reader(output.getName(), Read.ELSEWHERE));
    }

    private static Stream<Onnx.GraphProto> bodies(Onnx.NodeProto node) {
        return node.getAttributeList().stream()
                .flatMap(attribute -> Stream.concat(
                        attribute.hasG() ? Stream.of(attribute.getG()) : Stream.empty(),
                        attribute.getGraphsList().stream()));
    }

    /** The position of a Constant node's tensor among its attributes, or -1. */
    private static int constantValue(Onnx.NodeProto node) {
        for (int i = 0; i < node.getAttributeCount(); i++) {
            if (node.getAttribute(i).getName().equals("value") && node.getAttribute(i).hasT()) {
                return i;
            }
        }
        return -1;
    }
}
