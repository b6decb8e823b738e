package dev.samediff.adapters;

import dev.samediff.adapters.graph.LinearLayers;
import dev.samediff.adapters.inject.GraphAdapters;
import dev.samediff.adapters.inject.TrainableValues;
import dev.samediff.adapters.linalg.Decompositions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A graph with low-rank adapters on its linear layers and embeddings.
 *
 * <p>The graph stays a plain SameDiff graph: all its names keep their meaning, its base weights are constants, the
 * adapters' tensors, low-rank factors and copies of what they train whole, are its only trainable variables, and the method's regulariser is a loss variable in it. It can be
 * trained by {@code SameDiff.fit} or by this library's trainer, saved and loaded. Layers that SameDiff writes as one op
 * ({@code sd.nn.linear}, {@code sd.nn.reluLayer}) are taken apart into a product and a sum, and stay so.
 *
 * <p>The true base weights are never lost: {@link #disable()}, {@link #unmerge()} and {@link #unload()} put the very arrays
 * back, also for methods that replace the weight by a residual. No array that the graph holds or held is written to but the
 * adapters' own tensors, so other readers of the base weights, such as a {@link
 * dev.samediff.adapters.graph.SharingCopy}, never notice. Several adapters may be added; each is factorised from the true
 * weight, and the weights in the graph follow the set of active ones.
 *
 * <p>Not thread-safe: nobody may compute with the graph while its adapters are switched. Who predicts meanwhile does so with a
 * {@code SharingCopy} of the graph, which keeps the adapters as they were.
 */
public final class AdaptedModel {
    private final SameDiff graph;
    private final GraphAdapters adapters;
    private final TrainableValues values;
    private final StartOptions starts;

    private AdaptedModel(SameDiff graph, Map<String, String> modulePathsByWeight, StartOptions starts) {
        this.graph = graph;
        this.adapters = new GraphAdapters(graph, modulePathsByWeight);
        this.values = new TrainableValues(graph, adapters.set());
        this.starts = starts;
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
     * Puts an adapter into a model's graph, in place.
     *
     * @param model the model; its graph is changed
     * @param config what to adapt, and how
     * @throws InvalidInputException if the targets, ranks or weights do not fit; the graph is unchanged then
     */
    public static AdaptedModel inject(BaseModel model, AdapterConfig config) {
        return inject(model.graph(), model.modulePaths(), config);
    }

    /**
     * Puts a saved adapter into a model's graph, in place, with the tensors it was saved with.
     *
     * @param model the base model that the adapter was trained on; its graph is changed
     * @param state the adapter
     * @throws InvalidInputException if a layer is missing, has another shape or another weight than the adapter expects
     */
    public static AdaptedModel inject(BaseModel model, AdapterState state) {
        return inject(model.graph(), model.modulePaths(), state);
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
        return inject(graph, modulePathsByWeight, config, StartOptions.standard());
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
        return inject(
                graph, modulePathsByWeight, config, StartOptions.standard().withDecompositions(linalg));
    }

    /**
     * Puts an adapter into a model's graph, in place.
     *
     * @param model the model; its graph is changed
     * @param config what to adapt, and how
     * @param starts how weights are decomposed, here and by {@link #add(AdapterConfig)}, and who is told of it
     * @throws InvalidInputException if the targets, ranks or weights do not fit; the graph is unchanged then
     */
    public static AdaptedModel inject(BaseModel model, AdapterConfig config, StartOptions starts) {
        return inject(model.graph(), model.modulePaths(), config, starts);
    }

    private static AdaptedModel inject(
            SameDiff graph, Map<String, String> modulePathsByWeight, AdapterConfig config, StartOptions starts) {
        AdaptedModel model = new AdaptedModel(graph, modulePathsByWeight, starts);
        model.add(config);
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
        AdaptedModel model = new AdaptedModel(graph, modulePathsByWeight, StartOptions.standard());
        model.add(state);
        model.activate(state.config().name());
        return model;
    }

    /** Returns the graph. */
    public SameDiff graph() {
        return graph;
    }

    /**
     * Returns the configuration of the active adapter.
     *
     * @throws InvalidInputException if none or several are active; {@link #config(String)} says which one is meant
     */
    public AdapterConfig config() {
        return adapters.set().onlyActive().config();
    }

    /** Returns the configuration of an adapter. */
    public AdapterConfig config(String adapterName) {
        return adapters.set().get(adapterName).config();
    }

    /** Returns the layers of all active adapters. */
    public List<AdaptedSite> sites() {
        return adapters.set().sites();
    }

    /** Returns the graph's trainable variables, those of the active adapters, in a fixed order. */
    public List<String> trainableNames() {
        return adapters.set().trainableNames();
    }

    /** Returns how many numbers are trained. */
    public long trainableParameters() {
        return adapters.parameters().trainable();
    }

    /**
     * Returns how many parameters there are: the base model's and all adapters'. Of the base model count its former
     * VARIABLEs, its linear layers and embeddings, and frozen tables, which are constants with a name that ends in {@code .weight}.
     */
    public long totalParameters() {
        return adapters.parameters().total();
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
        adapters.moveToFile(directory, graphToo);
    }

    /** Switches the adapters on, which they are after injection. */
    public void enable() {
        adapters.enable(true);
    }

    /** Switches all adapters off: the graph computes what the base model computes, with the base model's weights. */
    public void disable() {
        adapters.enable(false);
    }

    /** Returns whether the adapters act. */
    public boolean enabled() {
        return adapters.enabled();
    }

    /** Adds the active adapters' changes to the base weights in the graph and switches the branches off. */
    public void merge() {
        adapters.merge(true);
    }

    /** Takes {@link #merge()} back, exactly. */
    public void unmerge() {
        adapters.merge(false);
    }

    /** Returns whether the graph's weights contain the adapters' changes. */
    public boolean merged() {
        return adapters.merged();
    }

    /**
     * Adds another adapter, factorised from the true base weights. It is inactive until {@link #activate}.
     *
     * @throws InvalidInputException if the name is taken, or the configuration does not fit the graph
     */
    public void add(AdapterConfig config) {
        adapters.add(config, starts);
    }

    /**
     * Adds a saved adapter. It is inactive until {@link #activate}. {@link AdapterState#withName} gives it another name.
     *
     * @throws InvalidInputException if the name is taken, or the adapter belongs to another base model
     */
    public void add(AdapterState state) {
        adapters.add(state);
    }

    /**
     * Makes these adapters, and no others, act and train; the others' tensors become constants.
     *
     * @param names names of adapters of this model; none switches all off
     */
    public void activate(String... names) {
        adapters.activate(List.of(names));
    }

    /**
     * Takes an adapter out of the graph; the others stay as they are, active or not. Unlike in PEFT, no other one becomes active
     * when the only active one is removed: then the graph computes what the base model computes.
     *
     * @throws InvalidInputException if there is no such adapter
     */
    public void remove(String adapterName) {
        adapters.remove(adapterName);
    }

    /** Returns the names of all adapters, in the order they were added. */
    public List<String> adapters() {
        return adapters.set().names();
    }

    /** Returns the names of the adapters that act and train, in the order they were added. */
    public List<String> activeAdapterNames() {
        return adapters.set().activeNames();
    }

    /** Returns the penalties of all active adapters that have one, by the adapter's name. */
    public Map<String, PenalizedSites> penalties() {
        return adapters.set().penalties();
    }

    /** Returns what follows every update of the active adapters, new objects for one training, by the adapter's name. */
    public Map<String, FollowedSites> afterSteps() {
        return adapters.set().afterSteps();
    }

    /**
     * Sets the coefficients of the active adapters' penalties in the graph to {@code gamma / eta_max} (SORSA, equation 10), also
     * of those that become active later. Without this call the coefficients are 0 and no penalty acts.
     *
     * @param etaMax the training plan's highest learning rate
     */
    public void peakLearningRate(double etaMax) {
        adapters.losses().peakLearningRate(etaMax);
    }

    /** Returns the loss variables that belong to a task loss: itself and the active adapters' penalties. */
    public List<String> lossVariables(String taskLoss) {
        return adapters.losses().withPenalties(List.of(taskLoss));
    }

    /**
     * Sets the graph's loss variables to a task loss and the active adapters' penalties, and checks that the gradients on
     * the way from the loss to the adapters are right. Call it when the loss was built after the injection; loss variables
     * that existed before are kept and get the penalty by themselves.
     *
     * @throws InvalidInputException if the graph lacks the variable, or an op with a wrong gradient lies on the way
     */
    public void useLoss(String taskLoss) {
        adapters.losses().requireExists(taskLoss);
        adapters.losses().use(List.of(taskLoss));
    }

    /** Returns a copy of the trainable variables' values by name. */
    public Map<String, INDArray> trainables() {
        return values.copy();
    }

    /**
     * Sets the trainable variables to the given values; merged weights follow.
     *
     * @param values as {@link #trainables()} gave them
     * @throws InvalidInputException if a name is missing or unknown, or a shape differs
     */
    public void restore(Map<String, INDArray> values) {
        this.values.restore(values);
        adapters.valuesChanged();
    }

    /**
     * Returns the active adapter as numbers, copied.
     *
     * @throws InvalidInputException if none or several are active; {@link #state(String)} says which one is meant, {@link
     *     #states()} gives all
     */
    public AdapterState state() {
        return adapters.set().onlyActive().state(graph);
    }

    /** Returns an adapter as numbers, copied. */
    public AdapterState state(String adapterName) {
        return adapters.set().get(adapterName).state(graph);
    }

    /** Returns all adapters, active or not, as numbers, copied, by name in the order they were added. */
    public Map<String, AdapterState> states() {
        Map<String, AdapterState> states = new LinkedHashMap<>();
        adapters().forEach(name -> states.put(name, state(name)));
        return states;
    }

    /**
     * Returns the weights with the active adapters' changes, by weight variable, in the stored orientation, computed in
     * float64 and rounded once, and the tensors that they train whole. The graph is not changed.
     */
    public Map<String, INDArray> mergedWeights() {
        return adapters.mergedWeights();
    }

    /**
     * Returns what the active adapters do to every layer, for writing them beside the weights, and what they train whole, which
     * replaces what is there. The graph is not changed.
     */
    public List<LowRankUpdate> updates() {
        return adapters.updates();
    }

    /** Returns a new plain graph with the active adapters merged into its weights; this model is not changed. */
    public SameDiff mergedGraph() {
        return adapters.mergedCopy();
    }

    /** Takes all adapters out of the graph and returns it as it was before the injection; this model is of no use then. */
    public SameDiff unload() {
        adapters.unload();
        return graph;
    }

    /**
     * Returns a table for people: the layers of the active adapters, how many numbers are trained, and every layer that the
     * targets left out, with the reason.
     */
    public String summary() {
        return adapters.parameters().text();
    }

    /** Returns what the targets of the active adapters might be expected to choose and do not, with the reasons, by adapter. */
    public Map<String, List<LinearLayers.Rejected>> leftOut() {
        return adapters.parameters().leftOut();
    }
}
