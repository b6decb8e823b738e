package dev.samediff.dl4j.contract;

import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** What DL4J's own gradient is, in a network without adapters. */
final class Alone {
    private static final double TWICE = 1e-4;

    private Alone() {}

    static String of(Example example) {
        MultiLayerNetwork network = Networks.around(example, example.layer().get());
        Set<String> ignored = Set.copyOf(example.untrained(network));
        Set<String> trained = new TreeSet<>(network.paramTable().keySet());
        trained.removeAll(ignored);
        return say(new Trial(network, Networks.data(example)), trained, ignored);
    }

    static String of(VertexExample example) {
        ComputationGraph graph = example.graph();
        return say(new Trial(graph, example.data()), new TreeSet<>(graph.paramTable().keySet()), Set.of());
    }

    private static String say(Trial trial, Set<String> trained, Set<String> ignored) {
        try {
            Deviation deviation = Deviation.of(trial, trained, ignored);
            if (deviation.relative() < Contract.GRADIENT) {
                return "right";
            }
            return Math.abs(deviation.factor() - 2) < TWICE
                    ? "twice too large"
                    : String.format(Locale.ROOT, "off by %.0f %%", 100 * deviation.relative());
        } catch (RuntimeException e) {
            return "none: it throws";
        }
    }
}
