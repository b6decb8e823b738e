package dev.samediff.dl4j;

import dev.samediff.dl4j.conf.CorrectedVertex;
import dev.samediff.dl4j.conf.StillVertex;
import dev.samediff.dl4j.conf.VertexCopies;
import dev.samediff.dl4j.layer.RunningLayer;
import dev.samediff.dl4j.vertex.AdaptedGraph;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link AdapterTransfer} for graphs. */
final class ComputationGraphs {
    private ComputationGraphs() {}

    static ComputationGraph adapt(ComputationGraph graph, TransferOptions<?> options) {
        ComputationGraphConfiguration conf = graph.getConfiguration().clone();
        conf.getVertices().replaceAll((name, copy) -> {
            GraphVertex vertex = thawed(Objects.requireNonNull(
                    graph.getConfiguration().getVertices().get(name)));
            return vertex instanceof SameDiffVertex ? VertexCopies.of(vertex) : copy;
        });
        thaw(conf);
        Map<String, NetworkLayer> layers = new LinkedHashMap<>();
        for (org.deeplearning4j.nn.graph.vertex.GraphVertex vertex : ordered(graph)) {
            String name = vertex.getVertexName();
            if (conf.getVertices().get(name) instanceof LayerVertex layer) {
                layers.put(
                        name,
                        FlatParameters.layer(layer.getLayerConf(), name, layers.size(), vertex.getLayer(), options));
            }
        }
        Truncation.requireSupported(conf.getBackpropType(), List.copyOf(layers.values()));
        Set<String> vertices = new TreeSet<>(conf.getVertices().keySet());
        vertices.removeAll(layers.keySet());
        Adaptation adaptation = new Adaptation(options, List.copyOf(layers.values()), vertices);
        Map<String, Boolean> passed = new HashMap<>();
        for (org.deeplearning4j.nn.graph.vertex.GraphVertex vertex : ordered(graph)) {
            String name = vertex.getVertexName();
            List<String> inputs = conf.getVertexInputs().getOrDefault(name, List.of());
            NetworkLayer layer = layers.get(name);
            boolean trained = inputs.stream().anyMatch(input -> passed.getOrDefault(input, false))
                    || adaptation.trains(name)
                    || conf.getVertices().get(name) instanceof AdaptedGraph;
            passed.put(name, trained);
            boolean output = conf.getNetworkOutputs().contains(name);
            freeze(conf, name, layer, adaptation, trained || output);
        }
        conf.setIterationCount(0);
        conf.setEpochCount(0);
        if (options.fineTune != null) {
            options.fineTune.applyToComputationGraphConfiguration(conf);
        }
        ComputationGraph adapted = new ComputationGraph(conf);
        adapted.init(
                parameters(graph, vertex -> {
                    NetworkLayer layer = layers.get(vertex.getVertexName());
                    return layer == null
                            ? own(vertex)
                            : FlatParameters.join(List.of(layer), adaptation, conf.getDataType());
                }),
                false);
        return adapted;
    }

    private static void freeze(
            ComputationGraphConfiguration conf,
            String name,
            @Nullable NetworkLayer layer,
            Adaptation adaptation,
            boolean passed) {
        GraphVertex vertex = conf.getVertices().get(name);
        if (layer != null && vertex instanceof LayerVertex holder) {
            holder.getLayerConf().setLayer(passed ? adaptation.configuration(layer) : Adaptation.frozen(layer));
        } else if (vertex != null && !passed) {
            conf.getVertices().put(name, new StillVertex(vertex));
        } else if (vertex != null && (vertex instanceof SameDiffVertex || hasParameters(vertex))) {
            conf.getVertices().put(name, new CorrectedVertex(vertex, !adaptation.trains(name)));
        }
    }

    private static boolean hasParameters(GraphVertex vertex) {
        return !(vertex instanceof AdaptedGraph) && vertex.numParams(true) > 0;
    }

    static ComputationGraph plain(ComputationGraph adapted, Function<RunningLayer, INDArray> parameters) {
        ComputationGraphConfiguration conf = adapted.getConfiguration().clone();
        thaw(conf);
        FlatParameters.requireAdapted(
                ordered(adapted).stream().anyMatch(vertex -> vertex.getLayer() instanceof RunningLayer));
        ComputationGraph plain = new ComputationGraph(conf);
        plain.init(
                parameters(
                        adapted,
                        vertex ->
                                vertex.hasLayer() ? FlatParameters.plain(vertex.getLayer(), parameters) : own(vertex)),
                false);
        return plain;
    }

    private static void thaw(ComputationGraphConfiguration conf) {
        conf.getVertices().replaceAll((name, vertex) -> thawed(vertex));
        conf.getVertices().values().forEach(vertex -> {
            if (vertex instanceof LayerVertex layer) {
                layer.getLayerConf()
                        .setLayer(NetworkLayer.thawed(layer.getLayerConf().getLayer()));
                layer.getLayerConf().clearVariables();
            }
        });
    }

    private static GraphVertex thawed(GraphVertex vertex) {
        if (vertex instanceof CorrectedVertex corrected) {
            return thawed(corrected.getUnderlying());
        }
        return vertex instanceof FrozenVertex frozen ? thawed(frozen.getUnderlying()) : vertex;
    }

    private static @Nullable INDArray own(org.deeplearning4j.nn.graph.vertex.GraphVertex vertex) {
        return vertex.numParams() == 0 ? null : vertex.params();
    }

    private static @Nullable INDArray parameters(
            ComputationGraph graph,
            Function<org.deeplearning4j.nn.graph.vertex.GraphVertex, @Nullable INDArray> ofVertex) {
        List<@Nullable INDArray> vectors = new ArrayList<>();
        ordered(graph).forEach(vertex -> vectors.add(ofVertex.apply(vertex)));
        return FlatParameters.join(vectors, graph.getConfiguration().getDataType());
    }

    /** In the order of the flat parameters. */
    private static List<org.deeplearning4j.nn.graph.vertex.GraphVertex> ordered(ComputationGraph graph) {
        List<org.deeplearning4j.nn.graph.vertex.GraphVertex> ordered = new ArrayList<>();
        for (int index : graph.topologicalSortOrder()) {
            ordered.add(graph.getVertices()[index]);
        }
        return ordered;
    }
}
