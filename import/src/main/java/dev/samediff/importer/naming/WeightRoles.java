package dev.samediff.importer.naming;

import dev.samediff.importer.naming.StoredRoots.Root;
import dev.samediff.importer.onnx.OnnxGraph;
import dev.samediff.importer.onnx.OnnxInput;
import dev.samediff.importer.onnx.OnnxNode;
import java.util.ArrayList;
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
    private final Set<String> trainable = new LinkedHashSet<>();
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
        trainable.removeAll(tables.keySet());
    }

    private void look(OnnxNode node) {
        switch (node.operator()) {
            case "Gather" -> lookAtGather(node);
            case "MatMul" -> lookAtMatMul(node);
            case "Gemm" -> lookAtGemm(node);
            case "LayerNormalization" -> node.inputs().stream().skip(1).forEach(this::vector);
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
        Optional<Root> table = roots.of(node.inputs().get(0))
                .filter(root -> root.tensor().type().isFPType());
        if (table.isPresent() && table.get().tensor().shape().length > 1) {
            tables.putIfAbsent(table.get().tensor().name(), node);
            activations.addAll(node.outputs());
        }
    }

    private void lookAtMatMul(OnnxNode node) {
        Optional<Root> right = roots.floating(node.inputs().get(1), 2);
        if (right.isPresent() && activations.contains(node.inputs().get(0))) {
            linear(node, right.get(), false, addedBias(node, right.get()));
            return;
        }
        roots.floating(node.inputs().get(0), 2)
                .filter(left -> activations.contains(node.inputs().get(1)))
                .ifPresent(left -> trainable.add(left.tensor().name()));
    }

    private void lookAtGemm(OnnxNode node) {
        Optional<Root> weight = roots.floating(node.inputs().get(1), 2);
        if (weight.isEmpty()) {
            return;
        }
        String bias = node.inputs().size() < 3 ? "" : node.inputs().get(2);
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
        String result = node.outputs().get(0);
        for (OnnxNode reader : readers.getOrDefault(result, List.of())) {
            if (reader.operator().equals("Add")) {
                int other = reader.inputs().get(0).equals(result) ? 1 : 0;
                Optional<Root> bias = roots.floating(reader.inputs().get(other), 1);
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
            if (activations.contains(node.inputs().get(1 - i))) {
                vector(node.inputs().get(i));
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

    /** Tells whether a stored tensor becomes a VARIABLE of the graph. */
    public boolean isTrainable(String tensor) {
        return trainable.contains(tensor);
    }

    /** Tells whether a stored tensor is looked up by index, and therefore frozen. */
    public boolean isTable(String tensor) {
        return tables.containsKey(tensor);
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
