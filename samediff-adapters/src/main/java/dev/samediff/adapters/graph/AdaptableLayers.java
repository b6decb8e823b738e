package dev.samediff.adapters.graph;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * What adapters can be put on in a graph.
 *
 * @param sites linear layers in graph order, then stacks of experts, then embeddings; no two have the same module path
 * @param rejected weights that cannot be adapted, with the reason
 */
public record AdaptableLayers(List<AdaptableSite> sites, List<LinearLayers.Rejected> rejected) {
    public AdaptableLayers {
        sites = List.copyOf(sites);
        rejected = List.copyOf(rejected);
    }

    /**
     * Finds the layers of a graph.
     *
     * @param graph the graph, not modified
     * @param modulePathsByWeight module path by weight variable; others are named by their weight
     * @throws dev.samediff.adapters.InvalidInputException if the map names a variable that the graph lacks
     */
    public static AdaptableLayers of(SameDiff graph, Map<String, String> modulePathsByWeight) {
        LinearLayers linear = LinearSites.layers(graph, modulePathsByWeight);
        EmbeddingSites.Embeddings embeddings = EmbeddingSites.layers(graph, modulePathsByWeight);
        List<String> taken = linear.modules();
        Stream<AdaptableSite> tables = embeddings.sites().stream()
                .map(site -> taken.contains(site.module()) ? site.withModule(site.weight()) : site);
        return new AdaptableLayers(
                Stream.of(linear.sites().stream(), linear.experts().stream(), tables)
                        .<AdaptableSite>flatMap(stream -> stream)
                        .toList(),
                Stream.concat(linear.rejected().stream(), embeddings.rejected().stream())
                        .toList());
    }

    /** Returns layers without embeddings. */
    public static AdaptableLayers of(LinearLayers linear) {
        return new AdaptableLayers(
                Stream.<AdaptableSite>concat(linear.sites().stream(), linear.experts().stream())
                        .toList(),
                linear.rejected());
    }

    /** Returns the module paths of the layers that can be adapted. */
    public List<String> modules() {
        return sites.stream().map(AdaptableSite::module).toList();
    }
}
