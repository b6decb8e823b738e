package dev.samediff.dl4j.contract;

import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** What DL4J's own gradient is, in a network without adapters. */
final class Alone {
    private static final double TWICE = 1e-4;
    private static final String NONE = "none passes";

    private Alone() {}

    static String of(Example example) {
        if (example.type() == FrozenLayer.class) {
            return NONE;
        }
        MultiLayerNetwork network = Networks.around(example, example.layer().get());
        Set<String> ignored = Set.copyOf(example.untrained(network));
        Set<String> trained = new TreeSet<>(network.paramTable().keySet());
        trained.removeAll(ignored);
        if (example.type() == FrozenLayerWithBackprop.class) {
            trained.removeAll(example.parameters(network));
        }
        return say(new Trial(network, Networks.data(example)), trained, ignored);
    }

    static String of(VertexExample example) {
        if (example.type() == FrozenVertex.class) {
            return NONE;
        }
        ComputationGraph graph = example.graph();
        return say(
                new Trial(graph, example.data()),
                new TreeSet<>(graph.paramTable().keySet()),
                Set.of());
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
