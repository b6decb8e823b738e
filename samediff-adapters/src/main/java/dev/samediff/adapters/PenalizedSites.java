package dev.samediff.adapters;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A penalty and what it is taken over.
 *
 * @param penalty the formula, with its gamma
 * @param sites names of a graph's trainable variables by short name ({@code sorsa_A}, ...), per layer
 */
public record PenalizedSites(Penalty penalty, List<Map<String, String>> sites) {
    public PenalizedSites {
        sites = sites.stream().<Map<String, String>>map(LinkedHashMap::new).toList();
    }
}
