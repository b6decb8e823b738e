package dev.samediff.importer.naming;

import dev.samediff.importer.naming.StoredRoots.Root;
import dev.samediff.importer.onnx.EinsumLayer;
import dev.samediff.importer.onnx.EinsumStack;
import dev.samediff.importer.onnx.OnnxGraph;
import dev.samediff.importer.onnx.OnnxInput;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.onnx.OnnxTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells parameters from other stored numbers by how nodes use them: matrices that activations are multiplied by, vectors
 * added to or multiplied with activations, embedding tables. Everything else (masks, rotary tables, scalars) stays
 * constant.
 */
public final class WeightRoles {
    private final OnnxGraph graph;
    private final StoredRoots roots;
    private final List<LinearUse> linears = new ArrayList<>();
    private final List<LinearUse> experts = new ArrayList<>();
    private final Set<String> trainable = new LinkedHashSet<>();
    private final Map<String, long[]> matrices = new HashMap<>();
    private final Map<String, long[]> kernels = new HashMap<>();
    private final Map<String, OnnxNode> tables = new LinkedHashMap<>();
    private final Set<String> activations = new HashSet<>();
    private final Map<String, List<OnnxNode>> readers = new HashMap<>();

    /** Looks at all nodes of a graph. */
    public WeightRoles(OnnxGraph graph) {
        this.graph = graph;
        this.roots = new StoredRoots(graph);
        graph.inputs().stream()
                .filter(input -> input.type().isFPType())
                .map(OnnxInput::name)
                .forEach(activations::add);
        for (OnnxNode node : graph.nodes()) {
            node.inputs()
                    .forEach(input -> readers.computeIfAbsent(input, name -> new ArrayList<>())
                            .add(node));
        }
        graph.nodes().forEach(this::look);
        experts.removeIf(use -> !isReadAsExperts(use.weight()));
        experts.forEach(use -> trainable.add(use.weight()));
        trainable.removeAll(tables.keySet());
    }

    private void look(OnnxNode node) {
        switch (node.operator()) {
            case "Gather" -> lookAtGather(node);
            case "MatMul" -> lookAtMatMul(node);
            case "Gemm" -> lookAtGemm(node);
            case "Conv" -> lookAtConv(node);
            case "Einsum" -> lookAtEinsum(node);
            case "com.microsoft:FusedMatMul" -> lookAtFusedMatMul(node);
            case "com.microsoft:FusedGemm" -> lookAtGemm(node);
            case "com.microsoft:Attention", "com.microsoft:GemmFastGelu" -> lookAtWeightAndBias(node);
            case "com.microsoft:EmbedLayerNormalization" -> lookAtEmbedding(node);
            case "LayerNormalization",
                    "SimplifiedLayerNormalization",
                    "RMSNormalization",
                    "InstanceNormalization",
                    "GroupNormalization",
                    "PRelu",
                    "com.microsoft:BiasGelu",
                    "com.microsoft:FastGelu" -> node.inputs().stream().skip(1).forEach(this::vector);
            case "BatchNormalization" -> List.of(node.input(1), node.input(2)).forEach(this::vector);
            case "com.microsoft:SkipLayerNormalization", "com.microsoft:SkipSimplifiedLayerNormalization" ->
                node.inputs().stream().skip(2).forEach(this::vector);
            case "com.microsoft:MultiHeadAttention" -> vector(node.input(3));
            case "Add", "Sub", "Mul", "Div" -> lookAtElementwise(node);
            default -> {
                // no other operator reads parameters
            }
        }
        if (node.inputs().stream().anyMatch(activations::contains)) {
            activations.addAll(node.outputs());
        }
    }

    private void lookAtGather(OnnxNode node) {
        Optional<Root> table =
                roots.of(node.input(0)).filter(root -> root.tensor().type().isFPType());
        if (table.isPresent() && table.get().tensor().shape().length > 1) {
            tables.putIfAbsent(table.get().tensor().name(), node);
            activations.addAll(node.outputs());
        }
    }

    private void lookAtMatMul(OnnxNode node) {
        Optional<Root> right = roots.floating(node.input(1), 2);
        if (right.isPresent() && activations.contains(node.input(0))) {
            linear(node, right.get(), false, addedBias(node, right.get()));
            return;
        }
        roots.floating(node.input(0), 2)
                .filter(left -> activations.contains(node.input(1)))
                .ifPresent(left -> linear(node, left, true, null));
        stack(node.input(1))
                .filter(tensor -> activations.contains(node.input(0)))
                .ifPresent(tensor -> experts.add(new LinearUse(node, tensor.name(), false, null)));
    }

    /** A stored tensor with a matrix for each of several experts. */
    private Optional<OnnxTensor> stack(String value) {
        return roots.floating(value, 3).map(Root::tensor).filter(tensor -> tensor.shape()[0] > 1);
    }

    /** Whether nothing reads a tensor, or what hands it on, but products with a matrix for each expert. */
    private boolean isReadAsExperts(String tensor) {
        for (OnnxNode node : graph.nodes()) {
            for (int place = 0; place < node.inputs().size(); place++) {
                boolean reads = roots.of(node.input(place))
                        .map(root -> root.tensor().name().equals(tensor))
                        .orElse(false);
                boolean handsOn = roots.of(node.output(0)).isPresent();
                if (reads && !handsOn && !isExperts(node, place, tensor)) {
                    return false;
                }
            }
        }
        return graph.outputs().stream()
                .noneMatch(output -> roots.of(output.name())
                        .map(root -> root.tensor().name().equals(tensor))
                        .orElse(false));
    }

    private boolean isExperts(OnnxNode node, int place, String tensor) {
        boolean weight = node.operator().equals("Einsum")
                ? EinsumStack.of(node, place).isPresent()
                : node.operator().equals("MatMul") && place == 1;
        return weight
                && experts.stream()
                        .anyMatch(use -> use.node() == node && use.weight().equals(tensor));
    }

    private void lookAtFusedMatMul(OnnxNode node) {
        boolean plain = node.integer("transA", 0) == 0;
        roots.floating(node.input(1), 2)
                .filter(right -> plain && activations.contains(node.input(0)))
                .ifPresent(right -> linear(node, right, node.integer("transB", 0) == 1, addedBias(node, right)));
    }

    /** A node that multiplies by input 1 and adds input 2. */
    private void lookAtWeightAndBias(OnnxNode node) {
        Optional<Root> stored = roots.floating(node.input(2), 1);
        stored.ifPresent(root -> trainable.add(root.tensor().name()));
        roots.floating(node.input(1), 2)
                .ifPresent(weight -> linear(
                        node,
                        weight,
                        false,
                        stored.map(root -> root.tensor().name()).orElse(null)));
    }

    private void lookAtEmbedding(OnnxNode node) {
        for (int i = 2; i <= 4; i++) {
            roots.floating(node.input(i), 2)
                    .ifPresent(root -> tables.putIfAbsent(root.tensor().name(), node));
        }
        vector(node.input(5));
        vector(node.input(6));
        activations.addAll(node.outputs());
    }

    /** A convolution in one group is a product with its weight as a matrix [out, in * kernel]. */
    private void lookAtConv(OnnxNode node) {
        Optional<Root> weight = roots.of(node.input(1))
                .filter(root -> root.tensor().type().isFPType() && root.tensor().shape().length > 2);
        String bias = node.input(2);
        Optional<Root> stored = roots.floating(bias, 1);
        stored.ifPresent(root -> trainable.add(root.tensor().name()));
        activations.addAll(node.outputs());
        if (weight.isPresent() && node.integer("group", 1) == 1) {
            OnnxTensor kernel = weight.get().tensor();
            kernels.put(kernel.name(), Arrays.copyOfRange(kernel.shape(), 2, kernel.shape().length));
            matrices.put(kernel.name(), new long[] {kernel.shape()[0], kernel.length() / Math.max(1, kernel.shape()[0])
            });
            linear(
                    node,
                    weight.get(),
                    true,
                    stored.map(root -> root.tensor().name()).orElse(null));
        } else {
            weight.ifPresent(root -> trainable.add(root.tensor().name()));
        }
    }

    /** An Einstein sum of an activation and one tensor, whose summed axes are beside each other, is a linear layer. */
    private void lookAtEinsum(OnnxNode node) {
        if (node.inputs().size() > 2) {
            lookAtLongEinsum(node);
            return;
        }
        for (int place = 0; place < 2; place++) {
            Optional<Root> weight = roots.of(node.input(place))
                    .filter(root ->
                            root.tensor().type().isFPType() && root.tensor().shape().length > 1);
            Optional<EinsumStack> sum = EinsumStack.of(node, place);
            if (sum.isPresent()
                    && stack(node.input(place)).isPresent()
                    && activations.contains(node.input(1 - place))) {
                String tensor = weight.orElseThrow().tensor().name();
                experts.add(new LinearUse(node, tensor, sum.get().outFirst(), null));
                return;
            }
            Optional<EinsumLayer> layer = EinsumLayer.of(node, place);
            if (weight.isEmpty() || layer.isEmpty() || !activations.contains(node.input(1 - place))) {
                continue;
            }
            OnnxTensor tensor = weight.get().tensor();
            if (tensor.shape().length != layer.get().weight().length()) {
                return;
            }
            long[] matrix = layer.get().matrix(tensor.shape());
            if (tensor.shape().length == 2) {
                linear(node, weight.get(), layer.get().outFirst(), null);
            } else if (isReadAs(tensor, matrix)) {
                matrices.put(tensor.name(), matrix);
                linear(node, weight.get(), layer.get().outFirst(), null);
            }
            return;
        }
    }

    /** Of three operands and more, which are multiplied one after the other, a stored matrix is a layer where its turn comes. */
    private void lookAtLongEinsum(OnnxNode node) {
        if (node.inputs().stream().noneMatch(activations::contains)) {
            return;
        }
        for (int place = 0; place < node.inputs().size(); place++) {
            Optional<Boolean> outFirst = EinsumLayer.amongOthers(node, place);
            Optional<Root> weight = roots.floating(node.input(place), 2);
            if (outFirst.isPresent() && weight.isPresent()) {
                linear(node, weight.get(), outFirst.get(), null);
            }
        }
    }

    /** Whether all that read a tensor of more than two axes use it as this matrix. */
    private boolean isReadAs(OnnxTensor tensor, long[] matrix) {
        return readers.getOrDefault(tensor.name(), List.of()).stream().allMatch(reader -> {
            int place = reader.inputs().indexOf(tensor.name());
            return reader.operator().equals("Einsum")
                    && EinsumLayer.of(reader, place)
                            .filter(layer -> layer.weight().length() == tensor.shape().length)
                            .map(layer -> Arrays.equals(layer.matrix(tensor.shape()), matrix))
                            .orElse(false);
        });
    }

    private void lookAtGemm(OnnxNode node) {
        Optional<Root> weight = roots.floating(node.input(1), 2);
        if (weight.isEmpty()) {
            return;
        }
        String bias = node.input(2);
        Optional<Root> stored = roots.floating(bias, 1);
        stored.ifPresent(root -> trainable.add(root.tensor().name()));
        linear(
                node,
                weight.get(),
                node.integer("transB", 0) == 1,
                stored.map(root -> root.tensor().name()).orElse(null));
        activations.addAll(node.outputs());
    }

    private void linear(OnnxNode node, Root weight, boolean swapped, @Nullable String bias) {
        trainable.add(weight.tensor().name());
        linears.add(new LinearUse(node, weight.tensor().name(), weight.transposed() != swapped, bias));
    }

    /** The stored vector that the only reader of a MatMul adds to its result. */
    private @Nullable String addedBias(OnnxNode node, Root weight) {
        long[] shape = weight.tensor().shape();
        long out = weight.transposed() ? shape[0] : shape[1];
        String result = node.output(0);
        for (OnnxNode reader : readers.getOrDefault(result, List.of())) {
            if (reader.operator().equals("Add")) {
                int other = reader.input(0).equals(result) ? 1 : 0;
                Optional<Root> bias = roots.floating(reader.input(other), 1);
                if (bias.isPresent() && bias.get().tensor().length() == out) {
                    trainable.add(bias.get().tensor().name());
                    return bias.get().tensor().name();
                }
            }
        }
        return null;
    }

    private void lookAtElementwise(OnnxNode node) {
        for (int i = 0; i < 2; i++) {
            if (activations.contains(node.input(1 - i))) {
                vector(node.input(i));
            }
        }
    }

    private void vector(String value) {
        roots.floating(value, 1)
                .filter(root -> root.tensor().length() > 1
                        && graph.isInitializer(root.tensor().name()))
                .ifPresent(root -> trainable.add(root.tensor().name()));
    }

    /** Returns the stored tensor behind a value. */
    public StoredRoots roots() {
        return roots;
    }

    /** Returns the multiplications by stored matrices in the order of the graph. */
    public List<LinearUse> linears() {
        return linears;
    }

    /** Returns the multiplications by a stored matrix for each of several experts, in the order of the graph. */
    public List<LinearUse> experts() {
        return experts;
    }

    /** Tells whether a stored tensor becomes a VARIABLE of the graph. */
    public boolean isTrainable(String tensor) {
        return trainable.contains(tensor);
    }

    /** Tells whether a stored tensor is looked up by index, and therefore frozen. */
    public boolean isTable(String tensor) {
        return tables.containsKey(tensor);
    }

    /**
     * Returns the shape of the matrix that a tensor of more axes is in the graph: of a convolution's weight [out, in,
     * kernel...] the matrix [out, in * kernel], of an Einsum's [in..., out...] the matrix [in, out]; null of others.
     */
    public long @Nullable [] matrix(String tensor) {
        long[] matrix = matrices.get(tensor);
        return matrix == null ? null : matrix.clone();
    }

    /** Returns the sizes of the kernel of a convolution whose weight is a matrix in the graph; none of other tensors. */
    public long[] kernel(String tensor) {
        return kernels.getOrDefault(tensor, new long[0]).clone();
    }

    /** Returns the weights that multiply activations and are no linear layers. */
    public List<NotAdapted> notAdapted() {
        return UnadaptedWeights.of(graph, this);
    }

    /** Returns the stored tensors that are looked up by index, with the first Gather that does. */
    public Map<String, OnnxNode> tables() {
        return tables;
    }

    /** Returns the stored tensors that become VARIABLEs. */
    public Set<String> trainable() {
        return trainable;
    }
}
