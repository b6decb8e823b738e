package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensor.NotValid;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import onnx.Onnx.GraphProto;
import onnx.Onnx.SparseTensorProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorShapeProto.Dimension;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** A checked graph: nodes that outputs need, sorted; stored tensors (initializers and Constant nodes); inputs, outputs. */
public final class OnnxGraph {
    private final int opset;
    private final @Nullable DataType floats;
    private final List<OnnxNode> nodes = new ArrayList<>();
    private final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
    private final Set<String> initializers = new HashSet<>();
    private final List<OnnxInput> inputs = new ArrayList<>();
    private final List<OnnxInput> outputs = new ArrayList<>();

    /**
     * Checks and sorts a graph.
     *
     * @param floats type of all floating-point numbers in the graph, null: as {@link OnnxTypes} says
     */
    OnnxGraph(GraphProto proto, int opset, ExternalData files, @Nullable DataType floats) {
        this.opset = opset;
        this.floats = floats;
        proto.getInitializerList().forEach(tensor -> addInitializer(tensor, files));
        long left = SparseTensor.MOST_BYTES;
        for (SparseTensorProto sparse : proto.getSparseInitializerList()) {
            TensorProto dense = SparseTensor.dense(sparse, files, left);
            left -= dense.getRawData().size();
            addInitializer(dense, files);
        }
        Set<String> names = new HashSet<>();
        for (ValueInfoProto input : proto.getInputList()) {
            if (!names.add(input.getName())) {
                throw new InvalidInputException("two inputs have the name '" + input.getName() + "'" + NotValid.ONNX);
            }
            if (!tensors.containsKey(input.getName())) {
                inputs.add(typed(declared(input)));
            }
        }
        for (OnnxNode node : sorted(proto)) {
            TensorProto constant = node.operator().equals("Constant") ? node.tensor("value") : null;
            if (constant != null) {
                String name = node.output(0);
                tensors.put(name, new OnnxTensor(name, constant, files, floats));
            } else {
                nodes.add(node);
            }
        }
        proto.getOutputList().forEach(output -> outputs.add(declared(output)));
    }

    private void addInitializer(TensorProto tensor, ExternalData files) {
        String name = tensor.getName();
        if (name.isEmpty()) {
            throw new InvalidInputException("an initializer has no name" + NotValid.ONNX);
        }
        if (tensors.put(name, new OnnxTensor(name, tensor, files, floats)) != null) {
            throw new InvalidInputException("two initializers have the name '" + name + "'" + NotValid.ONNX);
        }
        initializers.add(name);
    }

    private List<OnnxNode> sorted(GraphProto proto) {
        Set<String> given = new HashSet<>(tensors.keySet());
        inputs.forEach(input -> given.add(input.name()));
        proto.getNodeList().stream()
                .flatMap(node -> node.getOutputList().stream())
                .filter(given::contains)
                .findFirst()
                .ifPresent(OnnxGraph::refuseShadowing);
        List<OnnxNode> all = proto.getNodeList().stream().map(OnnxNode::new).toList();
        List<String> wanted =
                proto.getOutputList().stream().map(ValueInfoProto::getName).toList();
        return TopologicalOrder.sort(all, given, wanted);
    }

    private static void refuseShadowing(String name) {
        throw new InvalidInputException(
                "value '" + name + "' is written by a node and also an input or initializer" + NotValid.ONNX);
    }

    private static OnnxInput typed(OnnxInput input) {
        if (input.type() == DataType.UNKNOWN) {
            throw new InvalidInputException(
                    "input '" + input.name() + "' has no type or no shape; export the model with both");
        }
        return input;
    }

    private OnnxInput declared(ValueInfoProto info) {
        String name = info.getName();
        TypeProto type = info.getType();
        boolean open = type.hasTensorType() && !type.getTensorType().hasShape();
        if (open || type.getValueCase() == TypeProto.ValueCase.VALUE_NOT_SET) {
            return new OnnxInput(name, DataType.UNKNOWN, List.of());
        }
        if (!type.hasTensorType()) {
            throw new InvalidInputException(
                    "'" + name
                            + "' is not a tensor; graphs whose inputs and outputs are tensors can be imported: export with plain tensors");
        }
        TypeProto.Tensor tensor = type.getTensorType();
        if (tensor.getShape().getDimCount() > HostTensor.MOST_AXES) {
            throw new InvalidInputException(
                    "'" + name + "' has " + tensor.getShape().getDimCount() + " axes; up to " + HostTensor.MOST_AXES
                            + " can be imported: join some of them");
        }
        List<Dim> dims = new ArrayList<>();
        for (Dimension dimension : tensor.getShape().getDimList()) {
            dims.add(size(dimension, name + "." + dims.size()));
        }
        int elementType = tensor.getElemType();
        DataType declared = OnnxTypes.exact(elementType, "'" + name + "'");
        return new OnnxInput(name, declared.isFPType() && floats != null ? floats : declared, dims);
    }

    private static Dim size(Dimension dimension, String otherwise) {
        if (dimension.hasDimValue() && dimension.getDimValue() > 0) {
            return Dim.of(dimension.getDimValue());
        }
        return Dim.symbol(dimension.getDimParam().isEmpty() ? otherwise : dimension.getDimParam());
    }

    /** Returns the version of ONNX's own operator set. */
    public int opset() {
        return opset;
    }

    /** Returns the nodes that outputs need, each after those it reads from. */
    public List<OnnxNode> nodes() {
        return nodes;
    }

    /** Returns the stored tensor of that name, an initializer or a Constant node's output; null if it is computed. */
    public @Nullable OnnxTensor tensor(String name) {
        return tensors.get(name);
    }

    /** Returns the names of all stored tensors. */
    public Set<String> tensorNames() {
        return tensors.keySet();
    }

    /** Tells whether a stored tensor is an initializer and not a Constant node. */
    public boolean isInitializer(String name) {
        return initializers.contains(name);
    }

    /** Returns the inputs that a caller gives. */
    public List<OnnxInput> inputs() {
        return inputs;
    }

    /** Returns the outputs. */
    public List<OnnxInput> outputs() {
        return outputs;
    }
}
