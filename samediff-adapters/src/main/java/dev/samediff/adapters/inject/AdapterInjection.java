package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.StartOptions;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.AdapterTensors;
import dev.samediff.adapters.graph.Branches;
import dev.samediff.adapters.graph.EmbeddingSite;
import dev.samediff.adapters.graph.FrozenWeight;
import dev.samediff.adapters.graph.GraphAudit;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.ModuleTensors;
import dev.samediff.adapters.graph.RowBranches;
import dev.samediff.adapters.task.TaskHead;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts one adapter into a graph: factorises or takes over tensors, adds variables, branches and the regulariser. */
public final class AdapterInjection {
    private static final Logger LOG = LoggerFactory.getLogger(AdapterInjection.class);

    private final SameDiff graph;
    private final GraphEditor editor;
    private final AdaptableLayers layers;
    private final Map<String, String> biases;
    private final WholeChoice wholes;
    private final RowChoice rows;
    private final BaseWeights bases;

    /**
     * @param graph the graph
     * @param layers its layers as they were before any injection
     * @param tensors its stored tensors, likewise
     * @param bases the base weights, which the graph must hold but for those that adapters replaced by residuals
     */
    public AdapterInjection(SameDiff graph, AdaptableLayers layers, ModuleTensors tensors, BaseWeights bases) {
        this.graph = graph;
        this.editor = new GraphEditor(graph);
        this.layers = layers;
        this.biases = tensors.biases();
        this.wholes = new WholeChoice(layers, tensors, bases::stored);
        this.rows = new RowChoice(graph, layers, bases::stored);
        this.bases = bases;
    }

    /** Starts a new adapter; every error is found before the graph is touched, except a failing decomposition's. */
    public Adapter start(AdapterConfig config, StartOptions starting) {
        requireExpressible(config);
        List<RowChoice.Rows> tables = rows.start(config);
        List<AdaptableSite> factorised = wholes.factorised(config, tables);
        List<HeldTensor> held = wholes.start(config, factorised);
        requireHeads(held, factorised);
        List<LayerStart> starts = LayerStarts.of(config, factorised, bases, starting);
        return build(config, starts, held, tables);
    }

    /** What cannot be saved for PEFT must not be trained first. */
    private static void requireExpressible(AdapterConfig config) {
        WholeTensors whole = config.whole();
        if (config.method().scales().isPresent()
                && (whole.bias() != WholeTensors.Bias.NONE || !whole.tokens().isEmpty())) {
            throw new InvalidInputException("the adapter `" + config.name() + "` multiplies layers ("
                    + config.method().name() + ") and trains "
                    + (whole.tokens().isEmpty() ? "biases" : "rows of embeddings")
                    + ", which PEFT has no form for; train modules by withModulesToSave, or use another method");
        }
    }

    /** A head that starts from random numbers is of no use before it is trained. */
    private void requireHeads(List<HeldTensor> held, List<AdaptableSite> factorised) {
        for (String head : TaskHead.untrained(graph)) {
            if (held.stream().noneMatch(each -> each.tensor().key().equals(head + ".weight"))
                    && factorised.stream().noneMatch(site -> site.module().equals(head))) {
                throw new InvalidInputException("the head `" + head
                        + "` is new and would stay at its random start; train it by withModulesToSave(\"" + head
                        + "\")");
            }
        }
    }

    /** Refuses dropout where there is none, and warns where it changes more than one expects. */
    private static void requireDropout(AdapterConfig config, List<LayerStart> starts) {
        if (config.dropout() == 0) {
            return;
        }
        if (!config.method().isLowRank()) {
            throw new InvalidInputException("the adapter `" + config.name() + "` has dropout " + config.dropout()
                    + ", and there is none for " + config.method().name() + "; give dropout 0");
        }
        for (LayerStart start : starts) {
            if (start.site().layer().kind() == SiteKind.EXPERTS) {
                throw new InvalidInputException("the adapter `" + config.name() + "` has dropout " + config.dropout()
                        + ", and `" + start.site().module()
                        + "` is a stack of experts, for which there is none (nor in PEFT); give dropout 0, or leave the"
                        + " experts out");
            }
        }
        if (starts.stream().anyMatch(start -> !start.site().startsAtZero())) {
            LOG.warn(
                    "{} with dropout {}: what the method takes out of the weights at the start is dropped too, so the first"
                            + " losses are above the base model's",
                    config.method().name(),
                    config.dropout());
        }
    }

    /** Takes over an adapter made elsewhere. */
    public Adapter restore(AdapterState state) {
        List<HeldTensor> held = wholes.restore(state, rows);
        List<RowChoice.Rows> tables = rows.restore(state);
        List<LayerStart> starts = LayerStarts.restored(state, layers, bases);
        return build(state.config(), starts, held, tables);
    }

    private Adapter build(
            AdapterConfig config, List<LayerStart> starts, List<HeldTensor> held, List<RowChoice.Rows> tables) {
        requireDropout(config, starts);
        Stream<String> adaptedOutputs = Stream.of(
                        starts.stream().flatMap(start -> start.site().layer().uses().stream()),
                        tables.stream().flatMap(table -> table.table().uses().stream()),
                        tables.stream().flatMap(table -> table.tied().uses().stream()))
                .flatMap(uses -> uses)
                .map(AdaptableSite.Use::output);
        GraphAudit.requireSafe(
                graph,
                graph.getLossVariables(),
                Stream.concat(adaptedOutputs, held.stream().map(HeldTensor::variable))
                        .toList());
        List<AdaptedSite> sites = new ArrayList<>();
        List<String> scalings = new ArrayList<>();
        List<GraphEditor.Insertion> insertions = new ArrayList<>();
        Map<String, INDArray> trainables = new LinkedHashMap<>();
        for (LayerStart start : starts) {
            sites.add(start.site());
            start.tensors()
                    .forEach((name, array) -> trainables.put(trainable(start.site(), name), typed(array, start)));
        }
        List<HeldRows> ownRows = new ArrayList<>();
        for (RowChoice.Rows table : tables) {
            HeldRows own = heldRows(config, table);
            ownRows.add(own);
            trainables.put(own.variable(), table.values());
        }
        editor.addTrainables(trainables);
        sites.forEach(this::untie);
        for (LayerStart start : starts) {
            AdaptedSite site = start.site();
            String scaling = site.module() + ".scaling." + config.name();
            graph.constant(
                    scaling,
                    Nd4j.scalar(graph.getVariable(site.layer().weight()).dataType(), site.scaling()));
            scalings.add(scaling);
            insertions.addAll(insertBranches(config, site, scaling, squares(config, start)));
        }
        for (HeldRows own : ownRows) {
            DataType type = graph.getVariable(own.variable()).dataType();
            graph.constant(own.scale(), Nd4j.scalar(type, 0));
            scalings.add(own.scale());
            insertions.addAll(own.insert(editor, graph, config.name()));
        }
        return new Adapter(
                config,
                List.copyOf(sites),
                held,
                List.copyOf(ownRows),
                starts.stream().map(LayerStart::start).toList(),
                List.copyOf(scalings),
                List.copyOf(insertions),
                penalty(config, sites));
    }

    private static HeldRows heldRows(AdapterConfig config, RowChoice.Rows rows) {
        String module = rows.table().module();
        if (rows.isPrompt()) {
            String scale = module + ".scaling." + config.name() + ".prompt";
            String prompt = AdapterTensors.prompt(module, config.name());
            return new HeldRows(new RowBranches(rows.table(), rows.indices(), prompt, scale), rows.tied());
        }
        String variable = rows.indices().isEmpty()
                ? AdapterTensors.table(module, config.name())
                : AdapterTensors.rows(module, config.name());
        String scale = module + ".scaling." + config.name() + ".rows";
        return new HeldRows(new RowBranches(rows.table(), rows.indices(), variable, scale), rows.tied());
    }

    private Supplier<INDArray> squares(AdapterConfig config, LayerStart start) {
        BaseWeight base = bases.of(start.site().layer());
        return () -> typed(Nd4j.createFromArray(start.columnSquares(config.method(), base)), start);
    }

    private List<GraphEditor.Insertion> insertBranches(
            AdapterConfig config, AdaptedSite site, String scaling, Supplier<INDArray> squares) {
        List<GraphEditor.Insertion> insertions = new ArrayList<>();
        for (AdaptableSite.Use use : site.layer().uses()) {
            String base = use.output() + "/base";
            String free = graph.hasVariable(base) ? base + "." + config.name() : base;
            String prefix = use.output() + "/" + config.name() + "/";
            insertions.add(editor.insert(
                    use.output(),
                    free,
                    output -> Branches.adapt(
                            site.layer(),
                            use,
                            output,
                            prefix,
                            config.dropout() > 0,
                            (input, rows) -> config.method()
                                    .adapt(
                                            new LayerUse(
                                                    input,
                                                    rows,
                                                    new FrozenWeight(graph, site.layer(), prefix, squares),
                                                    bias(site)),
                                            graph.getVariable(scaling),
                                            factors(site, prefix),
                                            prefix))));
        }
        return insertions;
    }

    private Optional<SDVariable> bias(AdaptedSite site) {
        return Optional.ofNullable(biases.get(site.module())).map(graph::getVariable);
    }

    /** What else reads an embedding's table, such as a tied head, must not see it change when it is merged. */
    private void untie(AdaptedSite site) {
        if (site.layer() instanceof EmbeddingSite embedding
                && !embedding.others().isEmpty()
                && !graph.hasVariable(embedding.copy())) {
            editor.separate(embedding.weight(), embedding.copy(), embedding.others());
        }
    }

    private Adapter.@Nullable PenaltyTerm penalty(AdapterConfig config, List<AdaptedSite> sites) {
        Penalty penalty = config.method().penalty().orElse(null);
        if (penalty == null) {
            return null;
        }
        String name = config.name() + "/penalty";
        String coefficient = config.name() + "/penalty_coefficient";
        List<String> created = editor.record(() -> {
            SDVariable unweighted =
                    penalty.inGraph(sites.stream().map(this::variables).toList(), name + "/unweighted");
            SDVariable factor = graph.constant(coefficient, Nd4j.scalar(unweighted.dataType(), 0.0));
            unweighted.mul(name, factor);
        });
        return new Adapter.PenaltyTerm(penalty, name, coefficient, created);
    }

    /** The variables as a branch needs them: each expert's vectors are rows. */
    private Map<String, SDVariable> factors(AdaptedSite site, String prefix) {
        Map<String, SDVariable> factors = variables(site);
        if (site.layer().kind() == SiteKind.EXPERTS) {
            factors.replaceAll((name, variable) ->
                    variable.getArr().rank() == 2 ? graph.expandDims(prefix + name + "/row", variable, 1) : variable);
        }
        return factors;
    }

    private Map<String, SDVariable> variables(AdaptedSite site) {
        Map<String, SDVariable> variables = new LinkedHashMap<>();
        site.trainables().forEach((name, variable) -> variables.put(name, graph.getVariable(variable)));
        return variables;
    }

    private INDArray typed(INDArray array, LayerStart start) {
        return array.castTo(graph.getVariable(start.site().layer().weight()).dataType());
    }

    private static String trainable(AdaptedSite site, String shortName) {
        String name = site.trainables().get(shortName);
        if (name == null) {
            throw new IllegalStateException("no variable for " + shortName + " of " + site);
        }
        return name;
    }
}
