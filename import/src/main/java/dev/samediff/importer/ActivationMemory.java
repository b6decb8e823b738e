package dev.samediff.importer;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;

/** How much memory the activations of a graph take at given sizes, each kept until it is read for the last time. */
final class ActivationMemory {
    /** Where the file does not say how many there are. */
    private static final long MANY_HEADS = 32;

    private final List<NodeProto> nodes;
    private final OpenSizes sizes;
    private final Map<String, Integer> lastRead = new HashMap<>();

    ActivationMemory(GraphProto graph, OpenSizes sizes) {
        this.nodes = graph.getNodeList();
        this.sizes = sizes;
        for (int i = 0; i < nodes.size(); i++) {
            int index = i;
            nodes.get(i).getInputList().forEach(input -> lastRead.put(input, index));
        }
        graph.getOutputList().forEach(output -> lastRead.put(output.getName(), nodes.size()));
    }

    /** Returns the most bytes that are alive at once, with four for each number. */
    double peak(InputSizes given) {
        Map<String, Long> symbols = sizes.at(given);
        double open = (double) given.batch() * given.total();
        double alive = 0;
        double peak = 0;
        Map<Integer, List<Double>> ending = new HashMap<>();
        for (int i = 0; i < nodes.size(); i++) {
            for (String output : nodes.get(i).getOutputList()) {
                double bytes = Float.BYTES * elements(output, symbols, open);
                alive += bytes;
                ending.computeIfAbsent(lastRead.getOrDefault(output, i), end -> new ArrayList<>())
                        .add(bytes);
            }
            peak = Math.max(peak, alive + scores(nodes.get(i), given));
            alive -= ending.getOrDefault(i, List.of()).stream()
                    .mapToDouble(Double::doubleValue)
                    .sum();
        }
        return peak;
    }

    /** Scores inside of a fused operator, which no value of the file shows. */
    private static double scores(NodeProto node, InputSizes given) {
        if (!node.getOpType().endsWith("Attention")) {
            return 0;
        }
        long heads = GraphIndex.attribute(node, "num_heads", GraphIndex.attribute(node, "q_num_heads", MANY_HEADS));
        return (double) Float.BYTES * given.batch() * heads * given.total() * given.total();
    }

    private double elements(String value, Map<String, Long> symbols, double open) {
        List<Dim> dims = sizes.of(value);
        double elements = 1;
        for (Dim dim : dims == null ? List.<Dim>of() : dims) {
            elements *= sizes.number(dim, symbols).orElse((long) Math.min(open, Long.MAX_VALUE));
        }
        return elements;
    }
}
