package dev.samediff.adapters;

import dev.samediff.adapters.graph.GraphAudit;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.LinearLayers;
import dev.samediff.adapters.graph.LinearSite;
import dev.samediff.adapters.graph.LinearSites;
import dev.samediff.adapters.graph.Names;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A graph with low-rank adapters on its linear layers.
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
    private static final long FLATBUFFERS_LIMIT = 940_000_000L;
    private static final Pattern ADAPTER_VARIABLE =
            Pattern.compile(".*\\.(lora|sorsa)_[A-Z]\\.[A-Za-z0-9_-]+\\.weight");

    private final SameDiff graph;
    private final GraphEditor editor;
    private final LinearLayers layers;
    private final List<String> formerTrainables;
    private final Map<String, BaseWeight> bases = new LinkedHashMap<>();
    private final Map<String, Adapter> adapters = new LinkedHashMap<>();
    private final Set<String> active = new LinkedHashSet<>();
    private final Decompositions linalg = new LapackDecompositions();
    private boolean enabled = true;
    private boolean merged;

    private AdaptedModel(SameDiff graph, Map<String, String> modulePathsByWeight) {
        graph.variables().stream()
                .map(v -> v.name())
                .filter(name -> ADAPTER_VARIABLE.matcher(name).matches())
                .findFirst()
                .ifPresent(name -> {
                    throw new InvalidInputException("the graph already has adapters (`" + name
                            + "`); call add on its AdaptedModel, or load the base model again");
                });
        this.graph = graph;
        this.editor = new GraphEditor(graph);
        this.layers = LinearSites.layers(graph, modulePathsByWeight);
        this.formerTrainables = editor.trainables();
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
        AdaptedModel model = new AdaptedModel(graph, modulePathsByWeight);
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
        AdaptedModel model = new AdaptedModel(graph, modulePathsByWeight);
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
        return first().config();
    }

    /** Returns the layers of all active adapters. */
    public List<AdaptedSite> sites() {
        return activeAdapters().stream().flatMap(a -> a.sites().stream()).toList();
    }

    /** Returns the graph's trainable variables, those of the active adapters, in a fixed order. */
    public List<String> trainableNames() {
        return activeAdapters().stream()
                .flatMap(a -> a.trainableNames().stream())
                .toList();
    }

    /** Returns how many numbers are trained. */
    public long trainableParameters() {
        return count(trainableNames());
    }

    /**
     * Returns how many parameters there are: the base model's and all adapters'. Of the base model count its former
     * VARIABLEs, its linear layers, and frozen tables, which are constants with a name that ends in {@code .weight}.
     */
    public long totalParameters() {
        Set<String> names = new LinkedHashSet<>(formerTrainables);
        layers.sites().forEach(site -> names.add(site.weight()));
        graph.variables().stream()
                .filter(v ->
                        v.getVariableType() == VariableType.CONSTANT && v.name().endsWith(".weight"))
                .forEach(v -> names.add(v.name()));
        adapters.values().forEach(adapter -> names.addAll(adapter.trainableNames()));
        return count(names);
    }

    /** Switches the adapters on, which they are after injection. */
    public void enable() {
        enabled = true;
        refresh();
    }

    /** Switches all adapters off: the graph computes what the base model computes, with the base model's weights. */
    public void disable() {
        enabled = false;
        refresh();
    }

    /** Returns whether the adapters act. */
    public boolean enabled() {
        return enabled;
    }

    /** Adds the active adapters' changes to the base weights in the graph and switches the branches off. */
    public void merge() {
        merged = true;
        refresh();
    }

    /** Takes {@link #merge()} back, exactly. */
    public void unmerge() {
        merged = false;
        refresh();
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
        requireFreeName(config.name());
        attach(injection().start(config, linalg));
        activate(active.toArray(new String[0]));
    }

    /**
     * Adds a saved adapter. It is inactive until {@link #activate}.
     *
     * @throws InvalidInputException if the name is taken, or the adapter belongs to another base model
     */
    public void add(AdapterState state) {
        requireFreeName(state.config().name());
        attach(injection().restore(state));
        activate(active.toArray(new String[0]));
    }

    /**
     * Makes these adapters, and no others, act and train; the others' tensors become constants.
     *
     * @param names names of adapters of this model; none switches all off
     */
    public void activate(String... names) {
        for (String name : names) {
            if (!adapters.containsKey(name)) {
                throw new InvalidInputException("there is no adapter `" + name + "`; there are " + adapters.keySet());
            }
        }
        List<String> tasks = taskLosses();
        active.clear();
        active.addAll(Arrays.asList(names));
        for (Adapter adapter : adapters.values()) {
            if (active.contains(adapter.name())) {
                editor.unfreeze(adapter.trainableNames());
            } else {
                editor.freeze(adapter.trainableNames());
                setCoefficient(adapter, 0);
            }
        }
        refresh();
        if (!tasks.isEmpty()) {
            useLosses(tasks);
        }
        editor.invalidate();
    }

    /** Returns the names of all adapters, in the order they were added. */
    public List<String> adapters() {
        return List.copyOf(adapters.keySet());
    }

    /** Returns the names of the adapters that act and train. */
    public List<String> activeAdapterNames() {
        return List.copyOf(active);
    }

    /** Returns the penalty of {@link #config()}'s method, if it has one. */
    public Optional<Penalty> penalty() {
        return term().map(Adapter.PenaltyTerm::penalty);
    }

    /** Returns the names of the penalty's trainable variables by short name, per layer; empty without a penalty. */
    public List<Map<String, String>> penaltySites() {
        return term().isEmpty()
                ? List.of()
                : first().sites().stream().map(AdaptedSite::trainables).toList();
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
        if (!(etaMax > 0) || Double.isInfinite(etaMax)) {
            throw new InvalidInputException(
                    "the peak learning rate " + etaMax + " is not a positive number; the penalty is divided by it");
        }
        for (Adapter adapter : activeAdapters()) {
            Adapter.PenaltyTerm term = adapter.penalty();
            if (term != null) {
                setCoefficient(adapter, term.penalty().gamma() / etaMax);
            }
        }
    }

    /** Returns the loss variables that belong to a task loss: itself and the active adapters' penalties. */
    public List<String> lossVariables(String taskLoss) {
        return withPenalties(List.of(taskLoss));
    }

    /**
     * Sets the graph's loss variables to a task loss and the active adapters' penalties, and checks that the gradients on
     * the way from the loss to the adapters are right. Call it when the loss was built after the injection; loss variables
     * that existed before are kept and get the penalty by themselves.
     *
     * @throws InvalidInputException if the graph lacks the variable, or an op with a wrong gradient lies on the way
     */
    public void useLoss(String taskLoss) {
        if (!graph.hasVariable(taskLoss)) {
            throw new InvalidInputException("the graph has no variable `" + taskLoss
                    + "` to use as the loss; its last variables are "
                    + Names.some(graph.getLossVariables().isEmpty() ? lastVariables() : graph.getLossVariables()));
        }
        useLosses(List.of(taskLoss));
    }

    /** Returns a copy of the trainable variables' values by name. */
    public Map<String, INDArray> trainables() {
        Map<String, INDArray> values = new LinkedHashMap<>();
        trainableNames()
                .forEach(name ->
                        values.put(name, graph.getVariable(name).getArr().dup()));
        return values;
    }

    /**
     * Sets the trainable variables to the given values.
     *
     * @param values as {@link #trainables()} gave them
     * @throws InvalidInputException if a name is missing or unknown, or a shape differs
     */
    public void restore(Map<String, INDArray> values) {
        List<String> names = trainableNames();
        if (!Set.copyOf(names).equals(values.keySet())) {
            Set<String> missing = new LinkedHashSet<>(names);
            missing.removeAll(values.keySet());
            Set<String> unknown = new LinkedHashSet<>(values.keySet());
            unknown.removeAll(names);
            throw new InvalidInputException("these tensors do not belong to the active adapters " + active
                    + ": missing are " + Names.some(missing) + "; unknown are " + Names.some(unknown));
        }
        values.forEach((name, value) -> {
            INDArray array = graph.getVariable(name).getArr();
            if (!Arrays.equals(array.shape(), value.shape())) {
                throw new InvalidInputException("the tensor `" + name + "` has the shape "
                        + Arrays.toString(value.shape()) + "; expected " + Arrays.toString(array.shape()));
            }
        });
        values.forEach((name, value) -> graph.getVariable(name).getArr().assign(value));
    }

    /** Returns {@link #config()}'s adapter as numbers, copied. */
    public AdapterState state() {
        return state(first().name());
    }

    /** Returns an adapter as numbers, copied. */
    public AdapterState state(String adapterName) {
        Adapter adapter = adapters.get(adapterName);
        if (adapter == null) {
            throw new InvalidInputException(
                    "there is no adapter `" + adapterName + "`; there are " + adapters.keySet());
        }
        List<AdapterState.Site> saved = new ArrayList<>();
        for (int i = 0; i < adapter.sites().size(); i++) {
            AdaptedSite site = adapter.sites().get(i);
            saved.add(new AdapterState.Site(
                    site.module(),
                    site.layer().weight(),
                    site.layer().in(),
                    site.layer().out(),
                    site.rank(),
                    site.alpha(),
                    site.scaling(),
                    tensors(site),
                    adapter.starts().get(i),
                    site.startsAtZero(),
                    site.weightHash()));
        }
        Map<String, String> hashes = new TreeMap<>();
        adapter.sites().forEach(site -> hashes.put(site.module(), site.weightHash()));
        return new AdapterState(adapter.config(), saved, BaseHash.of(hashes));
    }

    /** Returns the fingerprint of the base weights under {@link #config()}'s adapter. */
    public String baseHash() {
        return state().baseHash();
    }

    /**
     * Returns the weights with the active adapters' changes, by weight variable, in the stored orientation, computed in
     * float64 and rounded once. The graph is not changed.
     */
    public Map<String, INDArray> mergedWeights() {
        Map<String, INDArray> weights = new LinkedHashMap<>();
        for (BaseWeight base : bases.values()) {
            if (sites().stream().anyMatch(site -> site.layer().equals(base.layer()))) {
                weights.put(
                        base.layer().weight(),
                        base.layer()
                                .orientation()
                                .asStored(effective(base, true))
                                .castTo(base.trueWeight().dataType())
                                .dup('c'));
            }
        }
        return weights;
    }

    /** Returns what the active adapters do to every layer, for writing them beside the weights. The graph is not changed. */
    public List<LowRankUpdate> updates() {
        List<LowRankUpdate> updates = new ArrayList<>();
        for (BaseWeight base : bases.values()) {
            List<INDArray> down = new ArrayList<>();
            List<INDArray> up = new ArrayList<>();
            boolean residual = false;
            for (Adapter adapter : activeAdapters()) {
                for (AdaptedSite site : adapter.sites()) {
                    if (site.layer().equals(base.layer())) {
                        Map<String, INDArray> factors =
                                adapter.config().method().asLora(tensors(site));
                        down.add(factors.get("lora_A"));
                        up.add(factors.get("lora_B").mul(site.scaling()));
                        residual |= !site.startsAtZero();
                    }
                }
            }
            if (!down.isEmpty()) {
                LinearSite layer = base.layer();
                Optional<INDArray> stored = residual
                        ? Optional.of(layer.orientation()
                                .asStored(effective(base, false))
                                .castTo(base.trueWeight().dataType())
                                .dup('c'))
                        : Optional.empty();
                updates.add(new LowRankUpdate(
                        layer.module(),
                        layer.weight(),
                        stored,
                        Nd4j.concat(1, down.toArray(new INDArray[0])),
                        Nd4j.concat(0, up.toArray(new INDArray[0]))));
            }
        }
        return updates;
    }

    /** Returns a new plain graph with the active adapters merged into its weights; this model is not changed. */
    public SameDiff mergedGraph() {
        requireCopyable();
        SameDiff copy = graph.dup();
        strip(copy);
        GraphEditor copyEditor = new GraphEditor(copy);
        Map<String, INDArray> weights = mergedWeights();
        for (BaseWeight base : bases.values()) {
            String weight = base.layer().weight();
            INDArray mergedWeight = weights.get(weight);
            copyEditor.replaceArray(
                    weight,
                    mergedWeight == null
                            ? base.layer()
                                    .orientation()
                                    .asStored(base.trueWeight())
                                    .dup('c')
                            : mergedWeight);
        }
        return copy;
    }

    /** Takes all adapters out of the graph and returns it as it was before the injection; this model is of no use then. */
    public SameDiff unload() {
        disable();
        strip(graph);
        adapters.clear();
        active.clear();
        return graph;
    }

    /** Returns a table of the adapted layers for people. */
    public String summary() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                "%-48s %-8s %7s %7s %5s %9s %12s%n", "layer", "method", "in", "out", "rank", "scaling", "trainable"));
        for (Adapter adapter : activeAdapters()) {
            for (AdaptedSite site : adapter.sites()) {
                text.append(String.format(
                        "%-48s %-8s %7d %7d %5d %9.4g %12d%n",
                        site.module(),
                        adapter.config().method().name(),
                        site.layer().in(),
                        site.layer().out(),
                        site.rank(),
                        site.scaling(),
                        count(site.trainables().values())));
            }
        }
        return text.append(String.format(
                        "%d of %d parameters are trained (%.3f %%)%n",
                        trainableParameters(), totalParameters(), 100.0 * trainableParameters() / totalParameters()))
                .toString();
    }

    /** SameDiff copies and saves through FlatBuffers, which end at 2 GB counted in a way that about 0.94 GB is the limit. */
    private void requireCopyable() {
        long bytes = graph.variables().stream()
                .filter(v ->
                        v.getVariableType() == VariableType.CONSTANT || v.getVariableType() == VariableType.VARIABLE)
                .mapToLong(v -> v.getArr() == null
                        ? 0
                        : v.getArr().length() * v.dataType().width())
                .sum();
        if (bytes > FLATBUFFERS_LIMIT) {
            throw new IllegalStateException(
                    "the graph holds " + bytes / 1_000_000 + " MB; SameDiff M2.1 cannot copy more" + " than "
                            + FLATBUFFERS_LIMIT / 1_000_000 + " MB. Use merge() on this graph, or mergedWeights()");
        }
    }

    private AdapterInjection injection() {
        return new AdapterInjection(graph, layers, this::base);
    }

    private BaseWeight base(LinearSite layer) {
        return bases.computeIfAbsent(
                layer.weight(),
                weight -> new BaseWeight(layer, graph.getVariable(weight).getArr()));
    }

    private void attach(Adapter adapter) {
        if (adapters.isEmpty()) {
            List<String> frozen = new ArrayList<>(editor.trainables());
            frozen.removeAll(adapter.trainableNames());
            editor.freeze(frozen);
            boolean residual = adapter.sites().stream().anyMatch(site -> !site.startsAtZero());
            for (BaseWeight base : bases.values()) {
                if (residual || editor.sharesArray(base.layer().weight())) {
                    base.separate(editor, residual);
                }
            }
        }
        adapters.put(adapter.name(), adapter);
    }

    /** Brings the weights and the branches' scalings in line with the flags and the set of active adapters. */
    private void refresh() {
        for (BaseWeight base : bases.values()) {
            if (enabled
                    && sites().stream()
                            .anyMatch(site -> site.layer().equals(base.layer()) && (merged || !site.startsAtZero()))) {
                base.set(effective(base, merged));
            } else {
                base.restore();
            }
        }
        for (Adapter adapter : adapters.values()) {
            boolean acts = enabled && !merged && active.contains(adapter.name());
            for (int i = 0; i < adapter.sites().size(); i++) {
                graph.getVariable(adapter.scalingVariables().get(i))
                        .getArr()
                        .assign(acts ? adapter.sites().get(i).scaling() : 0);
            }
        }
    }

    /** W minus the active adapters' starts, plus their present changes if asked for; [in,out], float64. */
    private INDArray effective(BaseWeight base, boolean withChanges) {
        INDArray weight = base.trueWeightInDouble();
        for (Adapter adapter : activeAdapters()) {
            for (int i = 0; i < adapter.sites().size(); i++) {
                AdaptedSite site = adapter.sites().get(i);
                if (!site.layer().equals(base.layer())) {
                    continue;
                }
                AdapterMethod method = adapter.config().method();
                if (!site.startsAtZero()) {
                    weight.subi(method.delta(adapter.starts().get(i), site.scaling()));
                }
                if (withChanges) {
                    weight.addi(method.delta(tensors(site), site.scaling()));
                }
            }
        }
        return weight;
    }

    private Map<String, INDArray> tensors(AdaptedSite site) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        site.trainables()
                .forEach((name, variable) ->
                        tensors.put(name, graph.getVariable(variable).getArr().dup('c')));
        return tensors;
    }

    /** Removes every trace of the adapters except the weights' values from this graph or a copy of it. */
    private void strip(SameDiff target) {
        GraphEditor targetEditor = new GraphEditor(target);
        targetEditor.setLosses(taskLosses());
        List<Adapter> newestFirst = new ArrayList<>(adapters.values());
        Collections.reverse(newestFirst);
        for (Adapter adapter : newestFirst) {
            Adapter.PenaltyTerm term = adapter.penalty();
            if (term != null) {
                targetEditor.removeWithProducers(term.variables());
            }
            List<GraphEditor.Insertion> insertions = new ArrayList<>(adapter.insertions());
            Collections.reverse(insertions);
            insertions.forEach(targetEditor::remove);
            targetEditor.removeWithProducers(adapter.scalingVariables());
            targetEditor.removeWithProducers(adapter.trainableNames());
        }
        targetEditor.unfreeze(formerTrainables);
        targetEditor.invalidate();
    }

    private void useLosses(List<String> tasks) {
        for (String task : tasks) {
            GraphAudit.requireSafe(graph, List.of(task), trainableNames());
        }
        editor.setLosses(withPenalties(tasks));
    }

    private List<String> withPenalties(List<String> tasks) {
        List<String> losses = new ArrayList<>(tasks);
        for (Adapter adapter : activeAdapters()) {
            Adapter.PenaltyTerm term = adapter.penalty();
            if (term != null && !losses.contains(term.variable())) {
                losses.add(term.variable());
            }
        }
        return losses;
    }

    private List<String> taskLosses() {
        List<String> losses = new ArrayList<>(graph.getLossVariables());
        for (Adapter adapter : adapters.values()) {
            Adapter.PenaltyTerm term = adapter.penalty();
            if (term != null) {
                losses.remove(term.variable());
            }
        }
        return losses;
    }

    private void setCoefficient(Adapter adapter, double value) {
        Adapter.PenaltyTerm term = adapter.penalty();
        if (term != null) {
            graph.getVariable(term.coefficient()).getArr().assign(value);
        }
    }

    private void requireFreeName(String name) {
        if (adapters.containsKey(name)) {
            throw new InvalidInputException("there is an adapter `" + name + "` already; there are " + adapters.keySet()
                    + ". Give the new one another name");
        }
    }

    private List<Adapter> activeAdapters() {
        return adapters.values().stream().filter(a -> active.contains(a.name())).toList();
    }

    private Adapter first() {
        return activeAdapters().stream()
                .findFirst()
                .orElseThrow(
                        () -> new InvalidInputException("no adapter is active; activate one of " + adapters.keySet()));
    }

    private Optional<Adapter.PenaltyTerm> term() {
        return Optional.ofNullable(first().penalty());
    }

    private long count(Collection<String> names) {
        return names.stream()
                .mapToLong(name -> graph.getVariable(name).getArr().length())
                .sum();
    }

    private List<String> lastVariables() {
        List<String> outputs = graph.outputs();
        return outputs == null ? List.of() : outputs;
    }
}
