package dev.samediff.adapters;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What follows every update of an adapter, and the adapter's layers.
 *
 * @param step what is done
 * @param sites names of a graph's trainable variables by short name, per layer
 * @param scalings the layers' s
 */
public record FollowedSites(AfterStep step, List<Map<String, String>> sites, List<Double> scalings) {
    public FollowedSites {
        sites = sites.stream().<Map<String, String>>map(LinkedHashMap::new).toList();
        scalings = List.copyOf(scalings);
    }
}
