package dev.samediff.adapters.graph;

import dev.samediff.adapters.SiteKind;
import java.util.List;
import java.util.stream.Stream;

/**
 * The linear layers of a graph.
 *
 * @param sites layers that can be adapted, in graph order
 * @param experts stacks of layers that can be adapted, in graph order
 * @param rejected weights used in a matmul that cannot be adapted, with the reason
 */
public record LinearLayers(List<LinearSite> sites, List<ExpertSite> experts, List<Rejected> rejected) {
    public LinearLayers {
        sites = List.copyOf(sites);
        experts = List.copyOf(experts);
        rejected = List.copyOf(rejected);
    }

    /** Returns the module paths of the layers that can be adapted. */
    public List<String> modules() {
        return Stream.concat(sites.stream(), experts.stream())
                .map(AdaptableSite::module)
                .toList();
    }

    /**
     * A weight that looks like a linear layer's but cannot be adapted.
     *
     * @param module module path
     * @param weight name of the weight variable
     * @param reason why not, and what to do if anything can be done
     * @param kind what the layer does with the weight
     */
    public record Rejected(String module, String weight, String reason, SiteKind kind) {
        /** A weight of a linear layer. */
        public Rejected(String module, String weight, String reason) {
            this(module, weight, reason, SiteKind.LINEAR);
        }
    }
}
