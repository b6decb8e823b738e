package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.Scales;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.ModuleTensors;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The biases of layers, which adapters with a bias of their own ({@link AdapterMethod#bias}) or with factors of outputs ({@link
 * AdapterMethod#scales}) change while they are merged: {@code b + sum s c}, or {@code b l}, in float64, rounded once. A bias may be one that
 * another adapter, or the same, trains whole: whoever looks at those or replaces them does so between {@link #withdraw} and {@link #refresh}.
 */
final class BiasChanges {
    private final SameDiff graph;
    private final GraphEditor editor;
    private final AdapterSet adapters;
    private final ModuleTensors tensors;
    private final Map<String, INDArray> originals = new LinkedHashMap<>();

    BiasChanges(SameDiff graph, GraphEditor editor, AdapterSet adapters, ModuleTensors tensors) {
        this.graph = graph;
        this.editor = editor;
        this.adapters = adapters;
        this.tensors = tensors;
    }

    /**
     * Refuses to merge adapters whose biases have no place.
     *
     * @param merging the adapters
     * @throws InvalidInputException if a layer has no bias for one that is added, or shares the one that would be changed
     */
    void requirePlaces(Collection<Adapter> merging) {
        changes(merging);
    }

    /** Puts the arrays back that were there. */
    void withdraw() {
        originals.forEach(editor::replaceArray);
        originals.clear();
    }

    /** Lets the graph hold the changed biases if adapters are merged; nothing may be replaced before. */
    void refresh(boolean enabled, boolean merged) {
        if (enabled && merged) {
            merged(Map.of()).forEach((name, array) -> originals.put(name, editor.replaceArray(name, array)));
        }
    }

    /**
     * Returns the changed biases by variable, new arrays.
     *
     * @param whole biases that are trained whole, by variable, in place of those that the graph holds
     */
    Map<String, INDArray> merged(Map<String, INDArray> whole) {
        Map<String, INDArray> merged = new LinkedHashMap<>();
        changes(adapters.active()).forEach((name, change) -> {
            INDArray base = whole.get(name);
            if (base == null) {
                base = originals.getOrDefault(name, graph.getVariable(name).getArr());
            }
            merged.put(name, change.apply(base.castTo(DataType.DOUBLE)).castTo(base.dataType()));
        });
        return merged;
    }

    /** Changes of float64 biases, by variable. */
    private Map<String, UnaryOperator<INDArray>> changes(Collection<Adapter> of) {
        Map<String, UnaryOperator<INDArray>> changes = new LinkedHashMap<>();
        for (Adapter adapter : of) {
            for (AdaptedSite site : adapter.sites()) {
                change(adapter, site).ifPresent(change -> {
                    String place = requirePlace(adapter, site);
                    if (place != null) {
                        UnaryOperator<INDArray> before = changes.get(place);
                        changes.put(place, before == null ? change : bias -> change.apply(before.apply(bias)));
                    }
                });
            }
        }
        return changes;
    }

    private Optional<UnaryOperator<INDArray>> change(Adapter adapter, AdaptedSite site) {
        AdapterMethod method = adapter.config().method();
        String factors = method.scales().map(Scales::outputs).orElse("");
        if (site.trainables().containsKey(factors)) {
            return Optional.of(bias -> bias.mul(value(site, factors)));
        }
        return method.bias().map(name -> bias -> bias.add(value(site, name).mul(site.scaling())));
    }

    private INDArray value(AdaptedSite site, String shortName) {
        return Objects.requireNonNull(site.tensors(graph).get(shortName)).castTo(DataType.DOUBLE);
    }

    /** The variable that a layer's bias is in; none, if it has none and needs none. */
    private @Nullable String requirePlace(Adapter adapter, AdaptedSite site) {
        String method = adapter.config().method().name();
        String place = tensors.biases().get(site.module());
        if (place == null && adapter.config().method().bias().isPresent()) {
            throw new InvalidInputException("the layer `" + site.module()
                    + "` has no bias into which that of the adapter `" + adapter.name() + "` (" + method
                    + ") could be merged; use the adapter unmerged, or train it without");
        }
        List<String> sharing = tensors.biases().entrySet().stream()
                .filter(entry -> entry.getValue().equals(place))
                .map(Map.Entry::getKey)
                .toList();
        if (sharing.size() > 1) {
            throw new InvalidInputException("the layers " + sharing + " have one bias, `" + place
                    + "`, which merging the adapter `" + adapter.name() + "` (" + method
                    + ") would change for all of them; use the adapter unmerged, or give each layer a bias of its own");
        }
        return place;
    }
}
