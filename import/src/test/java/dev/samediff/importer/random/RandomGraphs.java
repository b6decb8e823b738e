package dev.samediff.importer.random;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Makes random graphs, and the smallest part of one that still goes wrong. */
public final class RandomGraphs {
    private static final List<OperatorMaker> TABLE = OperatorTable.all();
    private static final int MOST_NODES = 14;

    private RandomGraphs() {}

    /** Returns the graph of a seed, the same at every call. */
    public static RandomGraph of(long seed) {
        return Draft.make(seed, TABLE, 4 + Math.floorMod(seed, MOST_NODES - 4));
    }

    /** Returns a graph with other outputs, without what they do not need. */
    public static RandomGraph withOutputs(RandomGraph graph, List<String> outputs) {
        return graph.withOutputs(outputs);
    }

    /** Returns whether a gradient flows from an output to an input. */
    public static boolean flows(RandomGraph graph, String output) {
        return graph.values().get(output).flows();
    }

    /**
     * Drops outputs and nodes as long as the rest still fails: a node is dropped by making inputs of what it computes.
     *
     * @param numbers computes every value at both sizes
     */
    public static RandomGraph shrink(
            RandomGraph graph,
            Predicate<RandomGraph> fails,
            Function<RandomGraph, List<Map<String, INDArray>>> numbers) {
        RandomGraph least = graph;
        List<String> made = graph.nodes().stream()
                .filter(node -> !node.operator().equals("Constant"))
                .flatMap(node -> node.outputs().stream())
                .toList();
        for (String output : made) {
            RandomGraph part = graph.withOutputs(List.of(output));
            if (fails.test(part)) {
                least = part;
                break;
            }
        }
        List<Map<String, INDArray>> all;
        try {
            all = numbers.apply(least.withOutputs(
                    made.stream().filter(made(least)::contains).toList()));
        } catch (RuntimeException e) {
            return least;
        }
        for (RandomGraph.Node node : new ArrayList<>(least.nodes())) {
            if (!node.operator().equals("Constant") && least.nodes().contains(node)) {
                RandomGraph without = least.cut(node, all);
                if (!without.nodes().isEmpty() && !hands(without) && fails.test(without)) {
                    least = without;
                }
            }
        }
        return least;
    }

    private static List<String> made(RandomGraph graph) {
        return graph.nodes().stream().flatMap(node -> node.outputs().stream()).toList();
    }

    /** An output that is an input as well says nothing. */
    private static boolean hands(RandomGraph graph) {
        return graph.outputs().stream().anyMatch(graph.inputs()::contains);
    }
}
