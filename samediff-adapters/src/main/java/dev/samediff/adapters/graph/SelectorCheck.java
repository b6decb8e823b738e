package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Refuses a selector with an entry that matches nothing in a graph. */
record SelectorCheck(TargetSelector selector, AdaptableLayers layers) {
    void requireEveryEntryToMatch() {
        selector.targets().ifPresent(match -> requireMatches("target", match));
        selector.exclude().ifPresent(match -> requireMatches("excluded module", match));
        selector.rankPattern().keySet().forEach(key -> requirePattern("rank pattern", key));
        selector.alphaPattern().keySet().forEach(key -> requirePattern("alpha pattern", key));
        requireLayers();
    }

    private void requireMatches(String role, ModuleMatch match) {
        List<String> modules = layers.modules();
        for (String name : match.names()) {
            require(role, name, modules, module -> ModuleMatch.matches(name, module));
        }
        match.regex().ifPresent(regex -> require(role, regex, modules, match::matches));
    }

    private void requirePattern(String role, String key) {
        List<String> chosen =
                layers.modules().stream().filter(selector::selects).toList();
        require(role, key, chosen, module -> TargetSelector.matchesPattern(key, module));
    }

    private void require(String role, String entry, List<String> modules, Predicate<String> matches) {
        if (modules.stream().anyMatch(matches)) {
            return;
        }
        String reasons = layers.rejected().stream()
                .filter(rejected -> matches.test(rejected.module()))
                .map(rejected -> "`" + rejected.module() + "` cannot be adapted: " + rejected.reason())
                .collect(Collectors.joining("; "));
        throw new InvalidInputException("no linear layer or embedding matches the " + role + " `" + entry + "`"
                + (reasons.isEmpty() ? "" : " (" + reasons + ")") + "; this graph has " + Names.some(modules)
                + ". Correct the entry or leave it out");
    }

    private void requireLayers() {
        if (selector.layersToTransform().isEmpty()) {
            return;
        }
        Set<Integer> existing = new TreeSet<>();
        layers.modules().forEach(module -> selector.layerIndex(module).ifPresent(existing::add));
        for (int index : selector.layersToTransform()) {
            if (!existing.contains(index)) {
                throw new InvalidInputException("no layer has the layer index " + index
                        + (selector.layersPattern().isEmpty() ? "" : " in " + selector.layersPattern())
                        + "; this graph has the indices " + existing + " in " + Names.some(layers.modules()));
            }
        }
    }
}
