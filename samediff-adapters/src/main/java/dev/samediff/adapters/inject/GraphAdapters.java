package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LowRankUpdate;
import dev.samediff.adapters.StartOptions;
import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.AdapterTensors;
import dev.samediff.adapters.graph.FusedLayers;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.ModuleTensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The adapters of one graph and whether they act: puts them in, takes them out, and keeps the graph's weights, switches,
 * trainable variables and losses in line with that.
 */
public final class GraphAdapters {
    private final SameDiff graph;
    private final GraphEditor editor;
    private final AdaptableLayers layers;
    private final ModuleTensors tensors;
    private final List<String> formerTrainables;
    private final AdapterSet set = new AdapterSet();
    private final AdapterRules rules = new AdapterRules(set);
    private final BaseWeights bases;
    private final HeldTensors held;
    private final BiasChanges biases;
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
        FusedLayers.takeApart(graph);
        this.graph = graph;
        this.editor = new GraphEditor(graph);
        this.layers = AdaptableLayers.of(graph, modulePathsByWeight);
        this.tensors = ModuleTensors.of(graph, layers);
        this.formerTrainables = editor.trainables();
        this.bases = new BaseWeights(graph, editor, set);
        this.held = new HeldTensors(graph, editor, set);
        this.biases = new BiasChanges(graph, editor, set, tensors);
        this.losses = new AdapterLosses(graph, editor, set);
    }

    /** Which adapters there are, and which act. */
    public AdapterSet set() {
        return set;
    }

    /** The low-rank factors' layers with the changes, and what is trained whole, by weight variable; computed anew. */
    public Map<String, INDArray> mergedWeights() {
        AdapterRules.requireMergeable(set.active());
        Map<String, INDArray> merged = new LinkedHashMap<>(bases.merged());
        merged.putAll(heldWeights());
        return merged;
    }

    /** What the active adapters do to every layer, and the tensors that they replace. */
    public List<LowRankUpdate> updates() {
        AdapterRules.requireMergeable(set.active());
        List<LowRankUpdate> updates = new ArrayList<>(bases.updates());
        Map<String, INDArray> summed = biases.merged(held.merged());
        summed.forEach((variable, bias) -> updates.add(LowRankUpdate.replacement(variable, variable, bias)));
        for (Adapter adapter : set.active()) {
            for (HeldTensor each : adapter.held()) {
                if (!summed.containsKey(each.variable())) {
                    updates.add(LowRankUpdate.replacement(
                            each.tensor().module(),
                            each.variable(),
                            each.value(graph).dup('c')));
                }
            }
            for (HeldRows rows : adapter.rows()) {
                rows.merged(graph)
                        .forEach((variable, table) -> updates.add(
                                LowRankUpdate.replacement(rows.table().module(), variable, table)));
            }
        }
        return updates;
    }

    /** Lets files stand behind frozen weights, see {@link BaseWeights#moveToFile}. */
    public void moveToFile(Path directory, boolean graphToo) {
        withdraw();
        bases.moveToFile(directory, graphToo);
        held.refresh(enabled, merged);
        biases.refresh(enabled, merged);
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
    public void add(AdapterConfig config, StartOptions starts) {
        set.requireFree(config.name());
        attach(() -> injection().start(config, starts));
    }

    /** Adds a saved adapter; it does not act yet. */
    public void add(AdapterState state) {
        set.requireFree(state.config().name());
        attach(() -> injection().restore(state));
    }

    private AdapterInjection injection() {
        return new AdapterInjection(graph, layers, tensors, bases);
    }

    private void attach(Supplier<Adapter> injected) {
        withdraw();
        Adapter adapter;
        try {
            adapter = injected.get();
        } finally {
            held.refresh(enabled, merged);
            biases.refresh(enabled, merged);
        }
        List<String> still = new ArrayList<>(adapter.factorNames());
        still.removeAll(adapter.trainedFactors());
        if (!still.isEmpty()) {
            editor.freeze(still);
        }
        if (set.isEmpty()) {
            List<String> frozen = new ArrayList<>(editor.trainables());
            frozen.removeAll(adapter.factorNames());
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
        rules.requireTogether(names);
        if (merged) {
            List<Adapter> merging = names.stream().map(set::get).toList();
            AdapterRules.requireMergeable(merging);
            biases.requirePlaces(merging);
        }
        set.activate(names);
        for (Adapter adapter : set.all()) {
            if (set.isActive(adapter)) {
                editor.unfreeze(adapter.trainedFactors());
            } else {
                editor.freeze(adapter.factorNames());
            }
        }
        losses.refresh();
        refresh();
        if (!tasks.isEmpty()) {
            editor.setLosses(losses.withPenalties(tasks));
        }
        editor.invalidate();
    }

    private void refresh() {
        biases.withdraw();
        held.withdrawOthers(enabled, merged);
        bases.refresh(enabled, merged);
        held.refresh(enabled, merged);
        biases.refresh(enabled, merged);
    }

    /** Puts the caller's arrays of what is trained whole back, and of biases. */
    private void withdraw() {
        biases.withdraw();
        held.withdraw();
    }

    /** Switches all adapters on or off. */
    public void enable(boolean on) {
        enabled = on;
        refresh();
    }

    /** Puts the active adapters' changes into the weights instead of beside them, or takes that back. */
    public void merge(boolean on) {
        if (on) {
            AdapterRules.requireMergeable(set.active());
            biases.requirePlaces(set.active());
        }
        merged = on;
        refresh();
    }

    /** Brings merged weights in line with the adapters' numbers after these were set. */
    public void valuesChanged() {
        if (merged) {
            withdraw();
            refresh();
        }
    }

    /** Takes one adapter out. */
    public void remove(String name) {
        Adapter gone = set.get(name);
        List<Adapter> newer = set.after(gone);
        List<String> tasks = losses.tasks();
        biases.withdraw();
        held.withdraw(gone);
        set.remove(name);
        refresh();
        editor.setLosses(tasks.isEmpty() ? tasks : losses.withPenalties(tasks));
        new AdapterRemoval(graph, editor).one(gone, newer, set.all());
    }

    /** Takes all adapters out; the graph is as it was before the first. */
    public void unload() {
        withdraw();
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

    /** The variables that adapters train whole and that were no VARIABLEs before. */
    List<String> formerConstants() {
        return set.all().stream()
                .flatMap(adapter -> adapter.held().stream())
                .map(HeldTensor::variable)
                .filter(variable -> !formerTrainables.contains(variable))
                .distinct()
                .toList();
    }

    /** The tensors of the active adapters that are trained whole, and biases with theirs, by variable, copied. */
    Map<String, INDArray> heldWeights() {
        Map<String, INDArray> whole = held.merged();
        whole.putAll(biases.merged(whole));
        return whole;
    }

    /** Returns a new plain graph with the active adapters merged into its weights. */
    public SameDiff mergedCopy() {
        AdapterRules.requireMergeable(set.active());
        return new MergedCopy(graph, this).make();
    }
}
