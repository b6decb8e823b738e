package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.ModuleTensors;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The biases of layers, to which adapters with a bias of their own ({@link dev.samediff.adapters.AdapterMethod#bias}) add it while they
 * are merged: {@code b + sum s c}, in float64, rounded once. A bias may be one that another adapter, or the same, trains whole: whoever
 * looks at those or replaces them does so between {@link #withdraw} and {@link #refresh}.
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
     * @throws InvalidInputException if a layer has no bias
     */
    void requirePlaces(Collection<Adapter> merging) {
        changes(merging);
    }

    /** Puts the arrays back that were there. */
    void withdraw() {
        originals.forEach(editor::replaceArray);
        originals.clear();
    }

    /** Lets the graph hold the sums if adapters are merged; nothing may be replaced before. */
    void refresh(boolean enabled, boolean merged) {
        if (enabled && merged) {
            merged(Map.of()).forEach((name, array) -> originals.put(name, editor.replaceArray(name, array)));
        }
    }

    /**
     * Returns the sums by variable, new arrays.
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
            merged.put(name, base.castTo(DataType.DOUBLE).add(change).castTo(base.dataType()));
        });
        return merged;
    }

    private Map<String, INDArray> changes(Collection<Adapter> of) {
        Map<String, INDArray> changes = new LinkedHashMap<>();
        for (Adapter adapter : of) {
            Optional<String> bias = adapter.config().method().bias();
            for (AdaptedSite site : bias.isPresent() ? adapter.sites() : List.<AdaptedSite>of()) {
                ModuleTensors.Tensor place = tensors.byKey().get(site.module() + ".bias");
                if (place == null) {
                    throw new InvalidInputException("the layer `" + site.module()
                            + "` has no bias into which that of the adapter `" + adapter.name()
                            + "` (lora_bias) could be merged; use the adapter unmerged, or train it without");
                }
                INDArray change = Objects.requireNonNull(site.tensors(graph).get(bias.get()))
                        .castTo(DataType.DOUBLE)
                        .mul(site.scaling());
                changes.merge(place.variable(), change, INDArray::add);
            }
        }
        return changes;
    }
}
