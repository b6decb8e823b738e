package dev.samediff.adapters;

import dev.samediff.adapters.graph.LinearSite;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A linear layer with an adapter on it.
 *
 * @param adapter the adapter's name
 * @param layer the linear layer
 * @param rank rank on this layer
 * @param alpha alpha on this layer
 * @param scaling factor s of the branch
 * @param trainables names of the graph's trainable variables by short name ({@code lora_A}, ...), in a fixed order
 * @param startsAtZero whether the base weight stayed as it was; otherwise it is the residual while the adapter is active
 * @param weightHash SHA-256 of the true base weight, see {@link BaseHash#ofWeight}
 */
public record AdaptedSite(
        String adapter,
        LinearSite layer,
        int rank,
        double alpha,
        double scaling,
        Map<String, String> trainables,
        boolean startsAtZero,
        String weightHash) {
    public AdaptedSite {
        trainables = Collections.unmodifiableMap(new LinkedHashMap<>(trainables));
    }

    /** Returns the layer's module path. */
    public String module() {
        return layer.module();
    }
}
