package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.AdapterTensors;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The adapters of one graph and whether they act: puts them in, takes them out, and keeps the graph's weights, switches,
 * trainable variables and losses in line with that.
 */
public final class GraphAdapters {
    private final SameDiff graph;
    private final GraphEditor editor;
    private final AdaptableLayers layers;
    private final List<String> formerTrainables;
    private final AdapterSet set = new AdapterSet();
    private final BaseWeights bases;
    private final AdapterLosses losses;
    private boolean enabled = true;
    private boolean merged;

    /**
     * Looks at a graph; it is not changed.
     *
     * @param graph the graph
     * @param modulePathsByWeight module paths by weight variable
     * @throws InvalidInputException if it has adapters already
     */
    public GraphAdapters(SameDiff graph, Map<String, String> modulePathsByWeight) {
        AdapterTensors.any(graph).ifPresent(name -> {
            throw new InvalidInputException("the graph already has adapters (`" + name
                    + "`); call add on its AdaptedModel, or load the base model again");
        });
        this.graph = graph;
        this.editor = new GraphEditor(graph);
        this.layers = AdaptableLayers.of(graph, modulePathsByWeight);
        this.formerTrainables = editor.trainables();
        this.bases = new BaseWeights(graph, editor, set);
        this.losses = new AdapterLosses(graph, editor, set);
    }

    /** Which adapters there are, and which act. */
    public AdapterSet set() {
        return set;
    }

    /** The weights under them. */
    public BaseWeights bases() {
        return bases;
    }

    /** The task's losses and their penalties. */
    public AdapterLosses losses() {
        return losses;
    }

    /** Counts parameters, and says what is adapted. */
    public ParameterSummary parameters() {
        return new ParameterSummary(graph, layers, formerTrainables, set);
    }

    public boolean enabled() {
        return enabled;
    }

    public boolean merged() {
        return merged;
    }

    /** Adds an adapter, factorised from the true base weights; it does not act yet. */
    public void add(AdapterConfig config, Decompositions linalg) {
        set.requireFree(config.name());
        attach(new AdapterInjection(graph, layers, bases::of).start(config, linalg));
    }

    /** Adds a saved adapter; it does not act yet. */
    public void add(AdapterState state) {
        set.requireFree(state.config().name());
        attach(new AdapterInjection(graph, layers, bases::of).restore(state));
    }

    private void attach(Adapter adapter) {
        if (set.isEmpty()) {
            List<String> frozen = new ArrayList<>(editor.trainables());
            frozen.removeAll(adapter.trainableNames());
            editor.freeze(frozen);
        }
        set.add(adapter);
        activate(set.activeNames());
    }

    /** Makes these adapters, and no others, act and train; all that can be refused is refused before anything changes. */
    public void activate(Collection<String> names) {
        List<String> tasks = losses.tasks();
        List<String> trainables = names.stream()
                .flatMap(name -> set.get(name).trainableNames().stream())
                .toList();
        losses.requireSafe(tasks, trainables);
        set.activate(names);
        for (Adapter adapter : set.all()) {
            if (set.isActive(adapter)) {
                editor.unfreeze(adapter.trainableNames());
            } else {
                editor.freeze(adapter.trainableNames());
            }
        }
        losses.refresh();
        bases.refresh(enabled, merged);
        if (!tasks.isEmpty()) {
            editor.setLosses(losses.withPenalties(tasks));
        }
        editor.invalidate();
    }

    /** Switches all adapters on or off. */
    public void enable(boolean on) {
        enabled = on;
        bases.refresh(enabled, merged);
    }

    /** Puts the active adapters' changes into the weights instead of beside them, or takes that back. */
    public void merge(boolean on) {
        merged = on;
        bases.refresh(enabled, merged);
    }

    /** Brings merged weights in line with the adapters' numbers after these were set. */
    public void valuesChanged() {
        if (merged) {
            bases.refresh(enabled, true);
        }
    }

    /** Takes one adapter out. */
    public void remove(String name) {
        Adapter gone = set.get(name);
        List<Adapter> newer = set.after(gone);
        List<String> tasks = losses.tasks();
        set.remove(name);
        bases.refresh(enabled, merged);
        editor.setLosses(tasks.isEmpty() ? tasks : losses.withPenalties(tasks));
        new AdapterRemoval(graph, editor).one(gone, newer, set.all());
    }

    /** Takes all adapters out; the graph is as it was before the first. */
    public void unload() {
        bases.refresh(false, false);
        removeAll(graph, Set.of());
        set.clear();
        enabled = true;
        merged = false;
    }

    /**
     * Removes every trace of the adapters but changed weights.
     *
     * @param from this graph or a copy of it
     * @param changed the weights that keep a changed value
     */
    void removeAll(SameDiff from, Collection<String> changed) {
        new AdapterRemoval(from).all(set.all(), formerTrainables, losses.tasks(), changed);
    }

    /** Returns a new plain graph with the active adapters merged into its weights. */
    public SameDiff mergedCopy() {
        return new MergedCopy(graph, this).make();
    }
}
