package dev.samediff.importer.naming;

import dev.samediff.importer.onnx.OnnxGraph;
import dev.samediff.importer.onnx.OnnxNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What the names of nodes lack. torch.onnx names nodes after the modules that were called: in a model whose inner module is
 * never called as one, only its layers, {@code model.layers.0.self_attn.o_proj} is {@code /layers.0/self_attn/o_proj}.
 * Parameters that kept their names say what is missing, such as a normalisation's
 * {@code model.layers.0.input_layernorm.weight} in the node {@code /layers.0/input_layernorm/Mul}.
 */
final class Prefixes {
    /** Nothing is missing. */
    static final Prefixes NONE = new Prefixes(Map.of());

    /** The prefix by the first part of a node's path. */
    private final Map<String, String> byHead;

    private Prefixes(Map<String, String> byHead) {
        this.byHead = byHead;
    }

    /** Compares the names of a graph's nodes with the names of the parameters that they read. */
    static Prefixes of(OnnxGraph graph) {
        Map<String, Set<String>> found = new HashMap<>();
        for (OnnxNode node : graph.nodes()) {
            String path = scope(node.name());
            if (path.isEmpty()) {
                continue;
            }
            for (String input : node.inputs()) {
                String module = graph.isInitializer(input) ? module(input) : "";
                if (module.equals(path)) {
                    found.computeIfAbsent(head(path), head -> new HashSet<>()).add("");
                } else if (module.endsWith("." + path)) {
                    found.computeIfAbsent(head(path), head -> new HashSet<>())
                            .add(module.substring(0, module.length() - path.length()));
                }
            }
        }
        Map<String, String> certain = new HashMap<>();
        found.forEach((head, prefixes) -> {
            if (prefixes.size() == 1) {
                certain.put(head, prefixes.iterator().next());
            }
        });
        return new Prefixes(certain);
    }

    /** {@code /layers.0/input_layernorm/Mul} is in {@code layers.0.input_layernorm}. */
    private static String scope(String node) {
        int last = node.lastIndexOf('/');
        return last <= 0 || !node.startsWith("/") ? "" : node.substring(1, last).replace('/', '.');
    }

    private static String module(String tensor) {
        String plain = ModulePaths.unquantised(tensor);
        int last = plain.lastIndexOf('.');
        return last <= 0 || plain.startsWith("onnx::") ? "" : plain.substring(0, last);
    }

    private static String head(String path) {
        int dot = path.indexOf('.');
        return dot < 0 ? path : path.substring(0, dot);
    }

    /** Returns a path that a node's name gave, with what it lacks in front. */
    String completed(String path) {
        return byHead.getOrDefault(head(path), "") + path;
    }
}
