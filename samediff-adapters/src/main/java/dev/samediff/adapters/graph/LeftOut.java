package dev.samediff.adapters.graph;

import dev.samediff.adapters.SiteKind;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a selector of layers might be expected to choose and does not, with the reasons: weights that it means but that cannot be
 * adapted and, where it means all linear layers, output heads, embeddings and experts in one tensor. What it excludes itself is not among them.
 */
public final class LeftOut {
    private static final String HEAD = "it is an output head, which " + TargetSelector.ALL_LINEAR
            + " leaves out; choose it by its name, or by withHead() (--with-head)";
    private static final String EMBEDDING = "embeddings are adapted only if they are named";
    private static final String EXPERTS = "experts in one tensor are adapted only if they are named";

    private LeftOut() {}

    /**
     * Finds what a selector leaves out.
     *
     * @param selector the selector
     * @param layers the layers of a graph before any adapter
     */
    public static List<LinearLayers.Rejected> of(TargetSelector selector, AdaptableLayers layers) {
        boolean all = selector.targets().isEmpty();
        TargetSelector withHead = all ? selector.withHead() : selector;
        Set<String> adaptable = layers.sites().stream()
                .filter(site -> !all || site.kind() == SiteKind.LINEAR)
                .map(AdaptableSite::weight)
                .collect(Collectors.toSet()); // a tied table may be rejected as a head, and chosen as an embedding
        Stream<LinearLayers.Rejected> impossible = layers.rejected().stream()
                .filter(rejected -> withHead.selects(rejected.module()) && !adaptable.contains(rejected.weight()));
        Stream<LinearLayers.Rejected> possible = layers.sites().stream()
                .filter(site -> all && withHead.selects(site.module()))
                .filter(site -> site.kind() != SiteKind.LINEAR || !selector.selects(site.module()))
                .map(site -> new LinearLayers.Rejected(site.module(), site.weight(), why(site.kind())));
        return Stream.concat(impossible, possible).toList();
    }

    private static String why(SiteKind kind) {
        return switch (kind) {
            case LINEAR -> HEAD;
            case EMBEDDING -> EMBEDDING;
            case EXPERTS -> EXPERTS;
        };
    }

    /** Returns the reasons as the end of a message; nothing if there are none. */
    static String sentence(List<LinearLayers.Rejected> leftOut) {
        return leftOut.isEmpty()
                ? ""
                : ". Left out are "
                        + Names.some(leftOut.stream().map(LeftOut::reason).toList());
    }

    private static String reason(LinearLayers.Rejected rejected) {
        return "`" + rejected.module() + "` (" + rejected.reason() + ")";
    }
}
