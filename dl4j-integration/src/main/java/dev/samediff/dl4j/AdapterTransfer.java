package dev.samediff.dl4j;

import dev.samediff.dl4j.layer.RunningLayer;
import dev.samediff.dl4j.vertex.RunningVertex;
import java.util.Arrays;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.FrozenVertex;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/**
 * Puts adapters into trained networks and takes them out again, in the manner of DL4J's {@code TransferLearning}:
 *
 * <pre>{@code
 * MultiLayerNetwork adapted = new AdapterTransfer.Builder(network).method(Sorsa.rank(8)).layers("hidden").build();
 * adapted.fit(iterator);
 * MultiLayerNetwork merged = AdapterTransfer.merge(adapted);
 * }</pre>
 *
 * <p>The given network is never changed. The adapted one computes what the given one does until it is trained; what is not
 * adapted is frozen and computes what it computes at test time, forward and backward.
 */
public final class AdapterTransfer {
    private AdapterTransfer() {}

    /** Returns a network of the original layer types with the adapters merged into their weights. */
    public static MultiLayerNetwork merge(MultiLayerNetwork adapted) {
        return MultiLayerNetworks.plain(adapted, RunningLayer::merged);
    }

    /** Returns a graph of the original layer types with the adapters merged into their weights. */
    public static ComputationGraph merge(ComputationGraph adapted) {
        return ComputationGraphs.plain(adapted, RunningLayer::merged);
    }

    /** Returns a network of the original layer types with the original weights, bit for bit. */
    public static MultiLayerNetwork unload(MultiLayerNetwork adapted) {
        return MultiLayerNetworks.plain(adapted, RunningLayer::original);
    }

    /** Returns a graph of the original layer types with the original weights, bit for bit. */
    public static ComputationGraph unload(ComputationGraph adapted) {
        return ComputationGraphs.plain(adapted, RunningLayer::original);
    }

    /** Returns how many numbers of a network are trained: those of adapters and of layers that are not frozen. */
    public static long trainableParameters(MultiLayerNetwork network) {
        return trainableParameters(network.getLayers());
    }

    /** Returns how many numbers of a graph are trained: those of adapters and of layers and vertices that are not frozen. */
    public static long trainableParameters(ComputationGraph graph) {
        return trainableParameters(graph.getLayers())
                + Arrays.stream(graph.getVertices())
                        .filter(vertex -> !vertex.hasLayer() && !(vertex instanceof FrozenVertex))
                        .mapToLong(vertex -> vertex instanceof RunningVertex running
                                ? running.trainableParameters()
                                : vertex.numParams())
                        .sum();
    }

    private static long trainableParameters(Layer[] layers) {
        return Arrays.stream(layers)
                .mapToLong(layer -> layer instanceof RunningLayer adapted
                        ? adapted.trainableParameters()
                        : layer instanceof FrozenLayer || layer instanceof FrozenLayerWithBackprop
                                ? 0
                                : layer.numParams())
                .sum();
    }

    /** Adapts a {@code MultiLayerNetwork}. */
    public static final class Builder extends TransferOptions<Builder> {
        private final MultiLayerNetwork network;

        /** Starts from a trained network, which is not changed. */
        public Builder(MultiLayerNetwork network) {
            this.network = network;
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Returns the adapted network, initialised.
         *
         * @throws dev.samediff.adapters.InvalidInputException if a choice fits no layer, a rank does not fit, or the network
         *     is adapted already
         */
        public MultiLayerNetwork build() {
            return MultiLayerNetworks.adapt(network, this);
        }
    }

    /** Adapts a {@code ComputationGraph}. */
    public static final class GraphBuilder extends TransferOptions<GraphBuilder> {
        private final ComputationGraph graph;

        /** Starts from a trained graph, which is not changed. */
        public GraphBuilder(ComputationGraph graph) {
            this.graph = graph;
        }

        @Override
        GraphBuilder self() {
            return this;
        }

        /**
         * Returns the adapted graph, initialised.
         *
         * @throws dev.samediff.adapters.InvalidInputException if a choice fits no layer, a rank does not fit, or the graph is
         *     adapted already
         */
        public ComputationGraph build() {
            return ComputationGraphs.adapt(graph, this);
        }
    }
}
