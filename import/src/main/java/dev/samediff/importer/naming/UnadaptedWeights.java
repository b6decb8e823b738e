package dev.samediff.importer.naming;

import dev.samediff.importer.naming.StoredRoots.Root;
import dev.samediff.importer.onnx.OnnxGraph;
import dev.samediff.importer.onnx.OnnxInput;
import dev.samediff.importer.onnx.OnnxNode;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds the weights that multiply activations and are no linear layers, so that nobody takes them for adapted. */
final class UnadaptedWeights {
    private static final Set<String> HANDING_ON = Set.of(
            "Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Slice", "Split", "Expand", "Concat");
    private static final int HOPS = 8;

    private final WeightRoles roles;
    private final Set<String> fromInputs = new HashSet<>();
    private final Map<String, OnnxNode> writers = new HashMap<>();
    private final Map<String, NotAdapted> found = new LinkedHashMap<>();

    private UnadaptedWeights(OnnxGraph graph, WeightRoles roles) {
        this.roles = roles;
        graph.inputs().stream().map(OnnxInput::name).forEach(fromInputs::add);
        for (OnnxNode node : graph.nodes()) {
            node.outputs().forEach(output -> writers.put(output, node));
            if (node.inputs().stream().anyMatch(fromInputs::contains)) {
                fromInputs.addAll(node.outputs());
            }
        }
    }

    /** Returns them in the order of the graph. */
    static List<NotAdapted> of(OnnxGraph graph, WeightRoles roles) {
        UnadaptedWeights weights = new UnadaptedWeights(graph, roles);
        graph.nodes().forEach(weights::look);
        return List.copyOf(weights.found.values());
    }

    private void look(OnnxNode node) {
        switch (node.operator()) {
            case "MatMul", "com.microsoft:FusedMatMul" -> {
                lookAtProduct(node, 1);
                lookAtProduct(node, 0);
            }
            case "Gemm", "com.microsoft:FusedGemm" -> lookAtProduct(node, 1);
            case "Conv" -> lookAtConvolution(node);
            case "Einsum" -> {
                for (int i = 0; i < node.inputs().size(); i++) {
                    lookAtEinsum(node, i);
                }
            }
            default -> {
                // no other operator multiplies by matrices
            }
        }
    }

    private boolean multipliesActivation(OnnxNode node, int place) {
        return !fromInputs.contains(node.input(place))
                && node.inputs().stream()
                        .anyMatch(input -> !input.equals(node.input(place)) && fromInputs.contains(input));
    }

    private void lookAtProduct(OnnxNode node, int place) {
        String value = node.input(place);
        Optional<Root> root = roles.roots().of(value);
        if (root.isPresent() && multipliesActivation(node, place)) {
            long[] shape = root.get().tensor().shape();
            if (shape.length > 2 && root.get().tensor().type().isFPType() && !isExperts(root.get())) {
                add(
                        node,
                        root.get(),
                        "it is a stack of matrices " + Arrays.toString(shape)
                                + ", such as one for each expert; adapters go on those that are [experts, in, out] and"
                                + " that nothing reads but products with them on the right");
            } else if (shape.length == 2 && !isLayer(root.get())) {
                String why = node.operator().contains("Fused")
                        ? " turns its other operand round"
                        : " multiplies it by what is computed from whole numbers, such as one-hot rows, not by activations";
                add(node, root.get(), node.operator() + " '" + node.name() + "'" + why);
            }
        } else if (root.isEmpty() && multipliesActivation(node, place)) {
            add(node, value, "it is computed from stored tensors by " + writer(value) + ", which is not followed");
        } else if (root.isEmpty()) {
            lookAtPart(node, value);
        }
    }

    private boolean isLayer(Root root) {
        return roles.linears().stream()
                .anyMatch(use -> use.weight().equals(root.tensor().name()));
    }

    private boolean isExperts(Root root) {
        return roles.experts().stream()
                .anyMatch(use -> use.weight().equals(root.tensor().name()));
    }

    private String writer(String value) {
        OnnxNode writer = writers.get(value);
        return writer == null ? "the graph" : writer.operator() + " '" + writer.name() + "'";
    }

    /** A product with what the inputs, or sizes that are open, take of a stored tensor. */
    private void lookAtPart(OnnxNode node, String value) {
        String source = value;
        for (int i = 0; i < HOPS; i++) {
            OnnxNode writer = writers.get(source);
            boolean lookedUp = writer != null && writer.operator().equals("Gather");
            if (writer == null || !(lookedUp || HANDING_ON.contains(writer.operator()))) {
                return;
            }
            source = writer.input(0);
            int least = lookedUp ? 3 : 2; // what is looked up in a matrix is a row, an embedding
            Optional<Root> root = roles.roots().of(source);
            if (root.isPresent()
                    && root.get().tensor().type().isFPType()
                    && root.get().tensor().shape().length >= least) {
                add(
                        node,
                        root.get(),
                        lookedUp
                                ? "matrices "
                                        + Arrays.toString(root.get().tensor().shape())
                                        + " are looked up in it, such as one for each expert; adapters go on"
                                        + " matrices that are multiplied where they are stored"
                                : "a part of it is multiplied, which " + writer.operator() + " '" + writer.name()
                                        + "' takes by numbers that are not known while importing");
            }
            if (lookedUp || root.isPresent()) {
                return;
            }
        }
    }

    private void lookAtConvolution(OnnxNode node) {
        long groups = node.integer("group", 1);
        if (groups != 1) {
            roles.roots()
                    .of(node.input(1))
                    .ifPresent(root -> add(
                            node,
                            root,
                            "it is a convolution in " + groups + " groups, which is no product with one matrix"));
        }
    }

    private void lookAtEinsum(OnnxNode node, int place) {
        Optional<Root> root = roles.roots().of(node.input(place));
        if (root.isPresent()
                && root.get().tensor().type().isFPType()
                && root.get().tensor().shape().length > 1
                && multipliesActivation(node, place)
                && !isLayer(root.get())
                && !isExperts(root.get())) {
            add(
                    node,
                    root.get(),
                    "Einsum '" + node.text("equation", "")
                            + "' uses it neither as one matrix, with the axes that are summed over beside each other, nor as a"
                            + " matrix for each expert, [experts, in, out]");
        }
    }

    private void add(OnnxNode node, Root root, String reason) {
        String tensor = root.tensor().name();
        found.putIfAbsent(
                tensor,
                new NotAdapted(
                        ModulePaths.of(new LinearUse(node, tensor, false, null), true)
                                .map(GraphNames::sanitised)
                                .orElse(tensor),
                        tensor,
                        Arrays.toString(root.tensor().shape()),
                        reason));
    }

    private void add(OnnxNode node, String value, String reason) {
        found.putIfAbsent(
                value,
                new NotAdapted(
                        ModulePaths.of(new LinearUse(node, value, false, null), false)
                                .map(GraphNames::sanitised)
                                .orElse(value),
                        value,
                        "",
                        reason));
    }
}
