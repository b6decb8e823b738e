package dev.samediff.importer.naming;

import dev.samediff.importer.onnx.OnnxGraph;
import dev.samediff.importer.onnx.OnnxInput;
import dev.samediff.importer.onnx.OnnxNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which values of a graph are computed from which. */
final class ValueFlow {
    private final Map<String, OnnxNode> writers = new HashMap<>();
    private final Map<String, List<OnnxNode>> readers = new HashMap<>();
    private final Set<String> inputs = new HashSet<>();
    private final Set<String> activations = new HashSet<>();

    ValueFlow(OnnxGraph graph) {
        for (OnnxInput input : graph.inputs()) {
            inputs.add(input.name());
            if (input.type().isFPType()) {
                activations.add(input.name());
            }
        }
        for (OnnxNode node : graph.nodes()) {
            node.outputs().forEach(output -> writers.put(output, node));
            node.inputs()
                    .forEach(input -> readers.computeIfAbsent(input, name -> new ArrayList<>())
                            .add(node));
            boolean looksUp = node.operator().equals("Gather")
                    && graph.tensor(node.input(0)) != null
                    && inputs.containsAll(sources(node.input(1)))
                    && !sources(node.input(1)).isEmpty();
            boolean sizes = node.operator().equals("Shape") || node.operator().equals("Size");
            if (!sizes && (looksUp || node.inputs().stream().anyMatch(activations::contains))) {
                activations.addAll(node.outputs());
            }
        }
    }

    /** The node that writes a value; null if none does. */
    @Nullable
    OnnxNode writer(String value) {
        return writers.get(value);
    }

    List<OnnxNode> readers(String value) {
        return readers.getOrDefault(value, List.of());
    }

    /** Whether a value depends on what is looked up or given as real numbers, other than by its size. */
    boolean isActivation(String value) {
        return activations.contains(value);
    }

    /** The inputs of the graph that a value depends on. */
    Set<String> sources(String value) {
        Set<String> sources = new LinkedHashSet<>();
        Set<String> seen = new HashSet<>();
        Deque<String> waiting = new ArrayDeque<>(List.of(value));
        while (!waiting.isEmpty()) {
            String each = waiting.remove();
            if (!seen.add(each)) {
                continue;
            }
            OnnxNode writer = writers.get(each);
            if (inputs.contains(each)) {
                sources.add(each);
            } else if (writer != null && !writer.operator().equals("Shape")) {
                waiting.addAll(writer.inputs());
            }
        }
        return sources;
    }

    /** All nodes that something of a node's results reaches, other than by its size. */
    Set<OnnxNode> after(OnnxNode node) {
        Set<OnnxNode> after = new LinkedHashSet<>();
        Deque<OnnxNode> waiting = new ArrayDeque<>(List.of(node));
        while (!waiting.isEmpty()) {
            for (String output : waiting.remove().outputs()) {
                for (OnnxNode reader : readers(output)) {
                    if (!reader.operator().equals("Shape") && !reader.operator().equals("Size") && after.add(reader)) {
                        waiting.add(reader);
                    }
                }
            }
        }
        return after;
    }
}
