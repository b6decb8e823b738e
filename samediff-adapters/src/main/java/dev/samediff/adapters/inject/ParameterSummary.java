package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.LeftOut;
import dev.samediff.adapters.graph.LinearLayers;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;

/**
 * Counts the parameters of a graph with adapters.
 *
 * @param graph the graph
 * @param layers its layers as they were before any injection
 * @param formerTrainables what was trainable before the first injection
 * @param adapters its adapters
 */
public record ParameterSummary(
        SameDiff graph, AdaptableLayers layers, List<String> formerTrainables, AdapterSet adapters) {
    /** How many numbers are trained. */
    public long trainable() {
        return count(adapters.trainableNames());
    }

    /** See {@link AdaptedModel#totalParameters()}. */
    public long total() {
        Set<String> names = new LinkedHashSet<>(formerTrainables);
        layers.sites().forEach(site -> names.add(site.weight()));
        graph.variables().stream()
                .filter(v ->
                        v.getVariableType() == VariableType.CONSTANT && v.name().endsWith(".weight"))
                .forEach(v -> names.add(v.name()));
        adapters.all().forEach(adapter -> names.addAll(adapter.trainableNames()));
        return count(names);
    }

    /** What could have been adapted and is not, by adapter, of the active ones. */
    public Map<String, List<LinearLayers.Rejected>> leftOut() {
        Map<String, List<LinearLayers.Rejected>> leftOut = new LinkedHashMap<>();
        adapters.active().stream()
                .filter(adapter -> !adapter.config().targets().isNone())
                .forEach(adapter ->
                        leftOut.put(adapter.name(), LeftOut.of(adapter.config().targets(), layers)));
        return leftOut;
    }

    /** A table of the adapted layers, and what the targets left out. */
    public String text() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                "%-48s %-12s %-8s %7s %7s %5s %9s %12s%n",
                "layer", "adapter", "method", "in", "out", "rank", "scaling", "trainable"));
        for (Adapter adapter : adapters.active()) {
            for (AdaptedSite site : adapter.sites()) {
                text.append(String.format(
                        "%-48s %-12s %-8s %7d %7d %5d %9.4g %12d%n",
                        site.module(),
                        adapter.name(),
                        adapter.config().method().name(),
                        site.layer().in(),
                        site.layer().out(),
                        site.rank(),
                        site.scaling(),
                        count(site.trainables().values())));
            }
            for (HeldRows rows : adapter.rows()) {
                text.append(String.format(
                        "%-48s %-12s %-8s %42d%n",
                        rows.key(),
                        adapter.name(),
                        rows.indices().isEmpty() ? "whole" : "rows",
                        count(List.of(rows.variable()))));
            }
            for (HeldTensor held : adapter.held()) {
                text.append(String.format(
                        "%-48s %-12s %-8s %42d%n",
                        held.tensor().key(), adapter.name(), "whole", count(List.of(held.variable()))));
            }
        }
        text.append(String.format(
                "%d of %d parameters are trained (%.3f %%)%n", trainable(), total(), 100.0 * trainable() / total()));
        leftOut()
                .forEach((adapter, layers) -> layers.forEach(layer -> text.append(String.format(
                        "left out by `%s`: `%s`, because %s%n", adapter, layer.module(), layer.reason()))));
        return text.toString();
    }

    private long count(Collection<String> names) {
        return names.stream()
                .mapToLong(name -> graph.getVariable(name).getArr().length())
                .sum();
    }
}
