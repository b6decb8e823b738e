package dev.samediff.adapters;

import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.inject.Adapter;
import dev.samediff.adapters.inject.AdapterInjection;
import dev.samediff.adapters.inject.AdapterLosses;
import dev.samediff.adapters.inject.AdapterRemoval;
import dev.samediff.adapters.inject.AdapterSet;
import dev.samediff.adapters.inject.BaseWeights;
import dev.samediff.adapters.inject.MergedCopy;
import dev.samediff.adapters.inject.ParameterSummary;
import dev.samediff.adapters.inject.TrainableValues;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A graph with low-rank adapters on its linear layers and embeddings.
 *
 * <p>The graph stays a plain SameDiff graph: all its names keep their meaning, its base weights are constants, the
 * adapters' tensors are its only trainable variables, and the method's regulariser is a loss variable in it. It can be
 * trained by {@code SameDiff.fit} or by this library's trainer, saved and loaded.
 *
 * <p>The true base weights are never lost: {@link #disable()}, {@link #unmerge()} and {@link #unload()} put them back bit
 * for bit, also for methods that replace the weight by a residual. Several adapters may be added; each is factorised from
 * the true weight, and the weights in the graph follow the set of active ones. Not thread-safe.
 */
public final class AdaptedModel {
    private static final Pattern ADAPTER_VARIABLE =
            Pattern.compile(".*\\.(lora|sorsa)_(([A-Z]\\.[A-Za-z0-9_-]+\\.weight)|(embedding_[A-Z]\\.[A-Za-z0-9_-]+))");

    private final SameDiff graph;
    private final GraphEditor editor;
    private final AdaptableLayers layers;
    private final List<String> formerTrainables;
    private final AdapterSet adapters = new AdapterSet();
    private final BaseWeights bases;
    private final AdapterLosses losses;
    private final TrainableValues values;
    private final ParameterSummary parameters;
    private final Decompositions linalg;
    private boolean enabled = true;
    private boolean merged;

    private AdaptedModel(SameDiff graph, Map<String, String> modulePathsByWeight, Decompositions linalg) {
        graph.variables().stream()
                .map(v -> v.name())
                .filter(name -> ADAPTER_VARIABLE.matcher(name).matches())
                .findFirst()
                .ifPresent(name -> {
                    throw new InvalidInputException("the graph already has adapters (`" + name
                            + "`); call add on its AdaptedModel, or load the base model again");
                });
        this.graph = graph;
        this.linalg = linalg;
        this.editor = new GraphEditor(graph);
        this.layers = AdaptableLayers.of(graph, modulePathsByWeight);
        this.formerTrainables = editor.trainables();
        this.bases = new BaseWeights(graph, adapters);
        this.losses = new AdapterLosses(graph, editor, adapters);
        this.values = new TrainableValues(graph, adapters);
        this.parameters = new ParameterSummary(graph, layers, formerTrainables, adapters);
    }

    /**
     * Puts an adapter into a graph, in place; module paths are the weights' names without {@code .weight}.
     *
     * @param graph the graph; it is changed
     * @param config what to adapt, and how
     * @throws InvalidInputException if the targets, ranks or weights do not fit; the graph is unchanged then
     */
    public static AdaptedModel inject(SameDiff graph, AdapterConfig config) {
        return inject(graph, Map.of(), config);
    }

    /**
     * Puts an adapter into a graph, in place.
     *
     * @param graph the graph; it is changed
     * @param modulePathsByWeight module paths by weight variable, as the importer gives them
     * @param config what to adapt, and how
     * @throws InvalidInputException if the targets, ranks or weights do not fit; the graph is unchanged then
     */
    public static AdaptedModel inject(SameDiff graph, Map<String, String> modulePathsByWeight, AdapterConfig config) {
        return inject(graph, modulePathsByWeight, config, new LapackDecompositions());
    }

    /**
     * Puts an adapter into a graph, in place, with decompositions that are perhaps known already.
     *
     * @param graph the graph; it is changed
     * @param modulePathsByWeight module paths by weight variable, as the importer gives them
     * @param config what to adapt, and how
     * @param linalg decomposes the weights, such as {@link dev.samediff.adapters.linalg.CachingDecompositions}
     * @throws InvalidInputException if the targets, ranks or weights do not fit; the graph is unchanged then
     */
    public static AdaptedModel inject(
            SameDiff graph, Map<String, String> modulePathsByWeight, AdapterConfig config, Decompositions linalg) {
        AdaptedModel model = new AdaptedModel(graph, modulePathsByWeight, linalg);
        model.attach(model.injection().start(config, model.linalg));
        model.activate(config.name());
        return model;
    }

    /**
     * Puts a saved adapter into a graph, in place, with the tensors it was saved with.
     *
     * @param graph the graph of the base model the adapter was trained on; it is changed
     * @param modulePathsByWeight module paths by weight variable, as the importer gives them
     * @param state the adapter
     * @throws InvalidInputException if a layer is missing, has another shape or another weight than the adapter expects
     */
    public static AdaptedModel inject(SameDiff graph, Map<String, String> modulePathsByWeight, AdapterState state) {
        AdaptedModel model = new AdaptedModel(graph, modulePathsByWeight, new LapackDecompositions());
        model.attach(model.injection().restore(state));
        model.activate(state.config().name());
        return model;
    }

    /** Returns the graph. */
    public SameDiff graph() {
        return graph;
    }

    /** Returns the configuration of the active adapter, of the first one if several are active. */
    public AdapterConfig config() {
        return adapters.firstActive().config();
    }

    /** Returns the layers of all active adapters. */
    public List<AdaptedSite> sites() {
        return adapters.sites();
    }

    /** Returns the graph's trainable variables, those of the active adapters, in a fixed order. */
    public List<String> trainableNames() {
        return adapters.trainableNames();
    }

    /** Returns how many numbers are trained. */
    public long trainableParameters() {
        return parameters.trainable();
    }

    /**
     * Returns how many parameters there are: the base model's and all adapters'. Of the base model count its former
     * VARIABLEs, its linear layers and embeddings, and frozen tables, which are constants with a name that ends in {@code .weight}.
     */
    public long totalParameters() {
        return parameters.total();
    }

    /**
     * Lets a temporary file stand behind frozen weights of adapted layers, so that those which nobody reads take no memory.
     * Everything else is as before, also for engines that are open.
     *
     * @param directory where the file is made, on a disk; it has no name and is gone with the process
     * @param graphToo whether this is done with the weights that the graph holds, too, which then gets other arrays; otherwise
     *     only with the true weights that a method replaced by residuals, which are read to merge and to switch off
     * @throws InvalidInputException if there is no such directory
     */
    public void keepWeightsInFile(Path directory, boolean graphToo) {
        bases.moveToFile(editor, directory, graphToo);
    }

    /** Switches the adapters on, which they are after injection. */
    public void enable() {
        enabled = true;
        bases.refresh(enabled, merged);
    }

    /** Switches all adapters off: the graph computes what the base model computes, with the base model's weights. */
    public void disable() {
        enabled = false;
        bases.refresh(enabled, merged);
    }

    /** Returns whether the adapters act. */
    public boolean enabled() {
        return enabled;
    }

    /** Adds the active adapters' changes to the base weights in the graph and switches the branches off. */
    public void merge() {
        merged = true;
        bases.refresh(enabled, merged);
    }

    /** Takes {@link #merge()} back, exactly. */
    public void unmerge() {
        merged = false;
        bases.refresh(enabled, merged);
    }

    /** Returns whether the graph's weights contain the adapters' changes. */
    public boolean merged() {
        return merged;
    }

    /**
     * Adds another adapter, factorised from the true base weights. It is inactive until {@link #activate}.
     *
     * @throws InvalidInputException if the name is taken, or the configuration does not fit the graph
     */
    public void add(AdapterConfig config) {
        adapters.requireFree(config.name());
        attach(injection().start(config, linalg));
        activate(adapters.activeNames().toArray(new String[0]));
    }

    /**
     * Adds a saved adapter. It is inactive until {@link #activate}.
     *
     * @throws InvalidInputException if the name is taken, or the adapter belongs to another base model
     */
    public void add(AdapterState state) {
        adapters.requireFree(state.config().name());
        attach(injection().restore(state));
        activate(adapters.activeNames().toArray(new String[0]));
    }

    /**
     * Makes these adapters, and no others, act and train; the others' tensors become constants.
     *
     * @param names names of adapters of this model; none switches all off
     */
    public void activate(String... names) {
        for (String name : names) {
            adapters.get(name);
        }
        List<String> tasks = losses.tasks();
        adapters.activate(names);
        for (Adapter adapter : adapters.all()) {
            if (adapters.isActive(adapter)) {
                editor.unfreeze(adapter.trainableNames());
            } else {
                editor.freeze(adapter.trainableNames());
                losses.coefficient(adapter, 0);
            }
        }
        bases.refresh(enabled, merged);
        if (!tasks.isEmpty()) {
            losses.use(tasks);
        }
        editor.invalidate();
    }

    /** Returns the names of all adapters, in the order they were added. */
    public List<String> adapters() {
        return adapters.names();
    }

    /** Returns the names of the adapters that act and train. */
    public List<String> activeAdapterNames() {
        return adapters.activeNames();
    }

    /** Returns the penalty of {@link #config()}'s method, if it has one. */
    public Optional<Penalty> penalty() {
        return term().map(Adapter.PenaltyTerm::penalty);
    }

    /** Returns the names of the penalty's trainable variables by short name, per layer; empty without a penalty. */
    public List<Map<String, String>> penaltySites() {
        return term().isEmpty()
                ? List.of()
                : adapters.firstActive().sites().stream()
                        .map(AdaptedSite::trainables)
                        .toList();
    }

    /**
     * Returns the graph scalar {@code coefficient * penalty} of {@link #config()}'s adapter, if its method has one. It is
     * 0 until {@link #peakLearningRate} is called.
     */
    public Optional<String> penaltyVariable() {
        return term().map(Adapter.PenaltyTerm::variable);
    }

    /**
     * Sets the penalty's coefficient in the graph to {@code gamma / eta_max} (SORSA, equation 10). Without this call the
     * coefficient is 0 and the penalty does not act.
     *
     * @param etaMax the training plan's highest learning rate
     */
    public void peakLearningRate(double etaMax) {
        losses.peakLearningRate(etaMax);
    }

    /** Returns the loss variables that belong to a task loss: itself and the active adapters' penalties. */
    public List<String> lossVariables(String taskLoss) {
        return losses.withPenalties(List.of(taskLoss));
    }

    /**
     * Sets the graph's loss variables to a task loss and the active adapters' penalties, and checks that the gradients on
     * the way from the loss to the adapters are right. Call it when the loss was built after the injection; loss variables
     * that existed before are kept and get the penalty by themselves.
     *
     * @throws InvalidInputException if the graph lacks the variable, or an op with a wrong gradient lies on the way
     */
    public void useLoss(String taskLoss) {
        losses.requireExists(taskLoss);
        losses.use(List.of(taskLoss));
    }

    /** Returns a copy of the trainable variables' values by name. */
    public Map<String, INDArray> trainables() {
        return values.copy();
    }

    /**
     * Sets the trainable variables to the given values.
     *
     * @param values as {@link #trainables()} gave them
     * @throws InvalidInputException if a name is missing or unknown, or a shape differs
     */
    public void restore(Map<String, INDArray> values) {
        this.values.restore(values);
    }

    /** Returns {@link #config()}'s adapter as numbers, copied. */
    public AdapterState state() {
        return adapters.firstActive().state(graph);
    }

    /** Returns an adapter as numbers, copied. */
    public AdapterState state(String adapterName) {
        return adapters.get(adapterName).state(graph);
    }

    /**
     * Returns the weights with the active adapters' changes, by weight variable, in the stored orientation, computed in
     * float64 and rounded once. The graph is not changed.
     */
    public Map<String, INDArray> mergedWeights() {
        return bases.merged();
    }

    /** Returns what the active adapters do to every layer, for writing them beside the weights. The graph is not changed. */
    public List<LowRankUpdate> updates() {
        return bases.updates();
    }

    /** Returns a new plain graph with the active adapters merged into its weights; this model is not changed. */
    public SameDiff mergedGraph() {
        return new MergedCopy(graph, bases, removal()).make();
    }

    /** Takes all adapters out of the graph and returns it as it was before the injection; this model is of no use then. */
    public SameDiff unload() {
        disable();
        removal().from(graph, Set.of());
        adapters.clear();
        return graph;
    }

    /** Returns a table of the adapted layers for people. */
    public String summary() {
        return parameters.text();
    }

    private AdapterInjection injection() {
        return new AdapterInjection(graph, layers, bases::of);
    }

    private AdapterRemoval removal() {
        return new AdapterRemoval(adapters.all(), formerTrainables, losses.tasks());
    }

    private void attach(Adapter adapter) {
        if (adapters.isEmpty()) {
            List<String> frozen = new ArrayList<>(editor.trainables());
            frozen.removeAll(adapter.trainableNames());
            editor.freeze(frozen);
            boolean residual = adapter.sites().stream().anyMatch(site -> !site.startsAtZero());
            bases.separate(editor, residual);
        }
        adapters.add(adapter);
    }

    private Optional<Adapter.PenaltyTerm> term() {
        return Optional.ofNullable(adapters.firstActive().penalty());
    }
}
