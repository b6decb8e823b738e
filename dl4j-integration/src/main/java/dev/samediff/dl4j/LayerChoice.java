package dev.samediff.dl4j;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.EmbeddingSite;
import dev.samediff.adapters.graph.LinearLayers;
import dev.samediff.adapters.graph.LinearSite;
import dev.samediff.adapters.graph.Names;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.dl4j.weight.AdaptableWeight;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The layers of a network as selectors see them. */
record LayerChoice(List<NetworkLayer> layers) {

    /** Returns the modules that a selector chooses. */
    Set<String> select(TargetSelector selector) {
        return selector.select(adaptable()).stream().map(AdaptableSite::module).collect(Collectors.toSet());
    }

    /** Returns a selector of the layers with these names and indices, with all their weights. */
    TargetSelector named(Collection<String> names, Collection<Integer> indices) {
        List<String> modules = new ArrayList<>();
        for (String name : names) {
            modules.addAll(modules(name));
        }
        for (int index : indices) {
            modules.addAll(modulesOf(layer(index)));
        }
        return TargetSelector.regex(modules.stream().map(Pattern::quote).collect(Collectors.joining("|")));
    }

    /** Returns the layer with this name. */
    NetworkLayer layer(String name) {
        return layers.stream()
                .filter(layer -> layer.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException(
                        "the network has no layer `" + name + "`; it has " + Names.some(names())));
    }

    private NetworkLayer layer(int index) {
        return layers.stream()
                .filter(layer -> layer.index() == index)
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("the network has no layer " + index
                        + "; it has the layers 0 to " + (layers.size() - 1) + ": " + Names.some(names())));
    }

    private List<String> modules(String name) {
        boolean isWeight =
                layers.stream().flatMap(layer -> layer.modules().stream()).anyMatch(name::equals);
        return isWeight ? List.of(name) : modulesOf(layer(name));
    }

    private List<String> modulesOf(NetworkLayer layer) {
        if (layer.modules().isEmpty()) {
            throw new InvalidInputException("the layer `" + layer.name() + "` cannot be adapted: " + layer.reason()
                    + "; layers of this network that can are "
                    + Names.some(adaptable().modules()));
        }
        return layer.modules();
    }

    private List<String> names() {
        return layers.stream().map(NetworkLayer::name).toList();
    }

    private AdaptableLayers adaptable() {
        List<AdaptableSite> sites = layers.stream()
                .flatMap(layer -> layer.weights().stream().map(weight -> site(layer, weight)))
                .toList();
        List<LinearLayers.Rejected> rejected = layers.stream()
                .filter(layer -> layer.modules().isEmpty())
                .map(layer -> new LinearLayers.Rejected(layer.name(), layer.name(), layer.reason()))
                .toList();
        return new AdaptableLayers(sites, rejected);
    }

    private static AdaptableSite site(NetworkLayer layer, AdaptableWeight weight) {
        String module = layer.module(weight);
        return switch (weight.kind()) {
            case LINEAR -> new LinearSite(module, module, Orientation.IN_OUT, weight.in(), weight.out(), List.of());
            case EMBEDDING -> new EmbeddingSite(module, module, weight.in(), weight.out(), List.of());
            case EXPERTS -> throw new IllegalStateException("no layer type of DL4J holds experts: " + module);
        };
    }
}
