package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.ExpertTensors;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.AdapterTensors;
import dev.samediff.adapters.graph.Branches;
import dev.samediff.adapters.graph.EmbeddingSite;
import dev.samediff.adapters.graph.FrozenWeight;
import dev.samediff.adapters.graph.GraphAudit;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.ModuleTensors;
import dev.samediff.adapters.graph.Names;
import dev.samediff.adapters.graph.RowBranches;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.SideBySide;
import dev.samediff.adapters.task.TaskHead;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Puts one adapter into a graph: factorises or takes over tensors, adds variables, branches and the regulariser. */
public final class AdapterInjection {
    private final SameDiff graph;
    private final GraphEditor editor;
    private final AdaptableLayers layers;
    private final WholeChoice wholes;
    private final RowChoice rows;
    private final Function<AdaptableSite, BaseWeight> bases;

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
        this.wholes = new WholeChoice(layers, tensors, bases::stored);
        this.rows = new RowChoice(graph, layers, bases::stored);
        this.bases = bases::of;
    }

    /** A layer to be adapted. */
    private record Chosen(AdaptableSite layer, int rank, double alpha, double scaling, BaseWeight base) {
        /** What a method sees: one layer, or one of each expert. */
        List<Matrix> matrices() {
            SiteShape shape = new SiteShape(layer.module(), layer.in(), layer.out(), rank, scaling, layer.kind());
            return layer.kind() == SiteKind.EXPERTS
                    ? IntStream.range(0, layer.experts())
                            .mapToObj(expert -> new Matrix(shape.ofExpert(expert), base.trueWeight(expert)))
                            .toList()
                    : List.of(new Matrix(shape, base.trueWeight()));
        }
    }

    /** One matrix [in,out] to be factorised. */
    private record Matrix(SiteShape shape, INDArray weight) {
        long elements() {
            return (long) shape.in() * shape.out();
        }
    }

    /** What one layer starts with; the start is a copy, because who gave it may go on writing to it. */
    private record Start(AdaptedSite site, Map<String, INDArray> start, Map<String, INDArray> tensors) {
        Start {
            start = Adapter.copy(start);
        }
    }

    /** Starts a new adapter; every error is found before the graph is touched, except a failing decomposition's. */
    public Adapter start(AdapterConfig config, Decompositions linalg) {
        AdapterMethod method = config.method();
        List<Chosen> chosen = new ArrayList<>();
        List<RowChoice.Rows> tables = rows.start(config);
        List<AdaptableSite> factorised = wholes.factorised(config, tables);
        List<HeldTensor> held = wholes.start(config, factorised);
        requireHeads(held, factorised);
        for (AdaptableSite layer : factorised) {
            int rank = config.targets().rank(layer.module(), method.rank());
            double alpha = alpha(config, layer.module(), rank);
            chosen.add(new Chosen(layer, rank, alpha, method.scaling(rank, alpha), bases.apply(layer)));
        }
        List<Matrix> matrices =
                chosen.stream().flatMap(each -> each.matrices().stream()).toList();
        Iterator<Factorization> factors = SideBySide.map(
                        matrices, Matrix::elements, matrix -> factorised(config, matrix, linalg))
                .iterator();
        List<Start> starts =
                chosen.stream().map(each -> start(config, each, factors)).toList();
        return build(config, starts, held, tables);
    }

    private static Factorization factorised(AdapterConfig config, Matrix matrix, Decompositions linalg) {
        SiteShape shape = matrix.shape();
        return config.method().factorize(matrix.weight(), shape, linalg, seed(config.seed(), shape.module()));
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

    /** Takes the next of the factorised matrices, as many as the layer has. */
    private static Start start(AdapterConfig config, Chosen chosen, Iterator<Factorization> factors) {
        AdaptableSite layer = chosen.layer();
        List<Factorization> own =
                Stream.generate(factors::next).limit(layer.experts()).toList();
        Map<String, INDArray> tensors = layer.kind() == SiteKind.EXPERTS
                ? ExpertTensors.join(own.stream().map(Factorization::trainables).toList())
                : own.get(0).trainables();
        AdaptedSite site = site(
                config,
                layer,
                chosen.rank(),
                chosen.alpha(),
                chosen.scaling(),
                tensors.keySet(),
                own.get(0).startsAtZero(),
                chosen.base().hash());
        return new Start(site, tensors, tensors);
    }

    /** Takes over an adapter made elsewhere. */
    public Adapter restore(AdapterState state) {
        Map<String, AdaptableSite> byModule =
                layers.sites().stream().collect(Collectors.toMap(AdaptableSite::module, site -> site));
        List<HeldTensor> held = wholes.restore(state, rows);
        List<RowChoice.Rows> tables = rows.restore(state);
        List<Start> starts = new ArrayList<>();
        for (AdapterState.Site saved : state.sites()) {
            AdaptableSite layer = requireLayer(state, saved, byModule.get(saved.module()));
            BaseWeight base = bases.apply(layer);
            if (!saved.weightHash().equals(AdapterState.UNKNOWN_HASH)
                    && !base.hash().equals(saved.weightHash())) {
                throw new InvalidInputException("the adapter `" + state.config().name()
                        + "` was made from another base model: the weight `" + layer.weight() + "` of `"
                        + layer.module() + "` has SHA-256 " + shorten(base.hash()) + ", the adapter expects "
                        + shorten(saved.weightHash()) + ". Load the base model the adapter was trained on, or train"
                        + " an adapter for this one");
            }
            starts.add(new Start(
                    site(
                            state.config(),
                            layer,
                            saved.rank(),
                            saved.alpha(),
                            saved.scaling(),
                            saved.tensors().keySet(),
                            saved.startsAtZero(),
                            base.hash()),
                    saved.start(),
                    saved.tensors()));
        }
        return build(state.config(), starts, held, tables);
    }

    private AdaptableSite requireLayer(AdapterState state, AdapterState.Site saved, @Nullable AdaptableSite layer) {
        if (layer == null) {
            throw new InvalidInputException("the adapter `" + state.config().name() + "` has the layer `"
                    + saved.module() + "`, which this graph does not have; it has " + Names.some(layers.modules())
                    + ". Load the base model the adapter was trained on");
        }
        if (layer.kind() != saved.kind()) {
            throw new InvalidInputException("the adapter `" + state.config().name() + "` has `" + saved.module()
                    + "` as a layer of kind " + saved.kind() + "; in this graph it is of kind " + layer.kind()
                    + ". Load the base model the adapter was trained on");
        }
        if (layer.in() != saved.in() || layer.out() != saved.out() || layer.experts() != saved.experts()) {
            throw new InvalidInputException("the adapter `" + state.config().name() + "` expects the layer `"
                    + saved.module() + "` to be " + shape(saved.experts(), saved.in(), saved.out())
                    + "; in this graph it is " + shape(layer.experts(), layer.in(), layer.out())
                    + ". Load the base model the adapter was trained on");
        }
        return layer;
    }

    private static String shape(int experts, int in, int out) {
        return "[" + (experts == 1 ? "" : experts + ",") + in + "," + out + "]";
    }

    private Adapter build(
            AdapterConfig config, List<Start> starts, List<HeldTensor> held, List<RowChoice.Rows> tables) {
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
        for (Start start : starts) {
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
        for (Start start : starts) {
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
                starts.stream().map(Start::start).toList(),
                List.copyOf(scalings),
                List.copyOf(insertions),
                penalty(config, sites));
    }

    private static HeldRows heldRows(AdapterConfig config, RowChoice.Rows rows) {
        String module = rows.table().module();
        String variable = rows.indices().isEmpty()
                ? AdapterTensors.table(module, config.name())
                : AdapterTensors.rows(module, config.name());
        String scale = module + ".scaling." + config.name() + ".rows";
        return new HeldRows(new RowBranches(rows.table(), rows.indices(), variable, scale), rows.tied());
    }

    /** The squared lengths of the columns of the weight that the graph holds while this adapter acts. */
    private Supplier<INDArray> squares(AdapterConfig config, Start start) {
        AdaptedSite site = start.site();
        return () -> {
            BaseWeight base = bases.apply(site.layer());
            LowRankSum weight = new LowRankSum(site.layer());
            if (!site.startsAtZero()) {
                weight.add(config.method(), start.start(), -site.scaling());
            }
            return typed(Nd4j.createFromArray(weight.columnSquares(base.stored())), start);
        };
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
                            (input, rows) -> config.method()
                                    .adapt(
                                            new LayerUse(
                                                    input,
                                                    rows,
                                                    new FrozenWeight(graph, site.layer(), prefix, squares)),
                                            graph.getVariable(scaling),
                                            factors(site, prefix),
                                            prefix))));
        }
        return insertions;
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

    private INDArray typed(INDArray array, Start start) {
        return array.castTo(graph.getVariable(start.site().layer().weight()).dataType());
    }

    private static String trainable(AdaptedSite site, String shortName) {
        String name = site.trainables().get(shortName);
        if (name == null) {
            throw new IllegalStateException("no variable for " + shortName + " of " + site);
        }
        return name;
    }

    private static AdaptedSite site(
            AdapterConfig config,
            AdaptableSite layer,
            int rank,
            double alpha,
            double scaling,
            Iterable<String> shortNames,
            boolean startsAtZero,
            String hash) {
        Map<String, String> names = new LinkedHashMap<>();
        shortNames.forEach(name -> names.put(name, AdapterTensors.name(layer, name, config.name())));
        return new AdaptedSite(config.name(), layer, rank, alpha, scaling, names, startsAtZero, hash);
    }

    private static double alpha(AdapterConfig config, String module, int rank) {
        return config.targets().alpha(module, config.method().alpha()).orElse(rank);
    }

    /** A layer's seed does not depend on which other layers are adapted. */
    private static long seed(long seed, String module) {
        long mixed = seed;
        for (int i = 0; i < module.length(); i++) {
            mixed = (mixed ^ module.charAt(i)) * 0x100000001B3L; // FNV-1a
        }
        return mixed;
    }

    private static String shorten(String hash) {
        return hash.length() > 12 ? hash.substring(0, 12) + "..." : hash;
    }
}
