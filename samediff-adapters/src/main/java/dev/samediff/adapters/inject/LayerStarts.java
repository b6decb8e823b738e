package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.ExpertTensors;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.StartOptions;
import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.AdapterTensors;
import dev.samediff.adapters.graph.Names;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.SideBySide;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an adapter starts with on its layers: factorised from the true weights, or as it was saved. Nothing of the graph is changed. */
final class LayerStarts {
    private LayerStarts() {}

    /** A layer to be adapted. */
    private record Chosen(AdaptableSite layer, int rank, double alpha, double scaling, BaseWeight base) {
        /** What a method sees: one layer, or one of each expert. */
        List<Matrix> matrices() {
            SiteShape shape = new SiteShape(layer.module(), layer.in(), layer.out(), rank, scaling, layer.kind());
            return layer.kind() == SiteKind.EXPERTS
                    ? IntStream.range(0, layer.experts())
                            .mapToObj(expert -> new Matrix(shape.ofExpert(expert), base.trueWeight(expert), base))
                            .toList()
                    : List.of(new Matrix(shape, base.trueWeight(), base));
        }
    }

    /** One matrix [in,out] to be factorised. */
    private record Matrix(SiteShape shape, INDArray weight, BaseWeight base) {
        long elements() {
            return (long) shape.in() * shape.out();
        }
    }

    /** Factorises the true weights, several at once. */
    static List<LayerStart> of(
            AdapterConfig config, Collection<AdaptableSite> layers, BaseWeights bases, StartOptions starting) {
        bases.prepare(layers);
        List<Chosen> chosen = new ArrayList<>();
        for (AdaptableSite layer : layers) {
            int rank = config.targets().rank(layer.module(), config.method().rank());
            double alpha = config.targets()
                    .alpha(layer.module(), config.method().alpha())
                    .orElse(rank);
            chosen.add(new Chosen(layer, rank, alpha, config.method().scaling(rank, alpha), bases.of(layer)));
        }
        List<Matrix> matrices =
                chosen.stream().flatMap(each -> each.matrices().stream()).toList();
        StartCount count = new StartCount(
                starting.listener(),
                matrices.size(),
                matrices.stream().mapToLong(Matrix::elements).sum());
        Iterator<Factorization> factors = SideBySide.map(matrices, Matrix::elements, matrix -> {
                    Factorization factorised = factorised(config, matrix, starting.linalg());
                    matrix.base().release();
                    count.add(matrix.shape().module(), matrix.elements());
                    return factorised;
                })
                .iterator();
        return chosen.stream().map(each -> start(config, each, factors)).toList();
    }

    private static Factorization factorised(AdapterConfig config, Matrix matrix, Decompositions linalg) {
        SiteShape shape = matrix.shape();
        return config.method().factorize(matrix.weight(), shape, linalg, seed(config.seed(), shape.module()));
    }

    /** Takes the next of the factorised matrices, as many as the layer has. */
    private static LayerStart start(AdapterConfig config, Chosen chosen, Iterator<Factorization> factors) {
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
                chosen.base().hash(),
                layer.kernel());
        return new LayerStart(site, tensors, tensors);
    }

    /**
     * Takes over what was saved.
     *
     * @throws InvalidInputException if a layer is missing, has another shape, or another weight than the adapter was made from
     */
    static List<LayerStart> restored(AdapterState state, AdaptableLayers layers, BaseWeights bases) {
        Map<String, AdaptableSite> byModule =
                layers.sites().stream().collect(Collectors.toMap(AdaptableSite::module, site -> site));
        bases.prepare(state.sites().stream()
                .map(saved -> byModule.get(saved.module()))
                .filter(Objects::nonNull)
                .toList());
        List<LayerStart> starts = new ArrayList<>();
        for (AdapterState.Site saved : state.sites()) {
            AdaptableSite layer = requireLayer(state, saved, byModule.get(saved.module()), layers);
            BaseWeight base = bases.of(layer);
            if (!saved.weightHash().equals(AdapterState.UNKNOWN_HASH)
                    && !base.hash().equals(saved.weightHash())) {
                throw new InvalidInputException("the adapter `" + state.config().name()
                        + "` was made from another base model: the weight `" + layer.weight() + "` of `"
                        + layer.module() + "` has SHA-256 " + shorten(base.hash()) + ", the adapter expects "
                        + shorten(saved.weightHash()) + ". Load the base model the adapter was trained on, or train"
                        + " an adapter for this one");
            }
            AdaptedSite site = site(
                    state.config(),
                    layer,
                    saved.rank(),
                    saved.alpha(),
                    saved.scaling(),
                    saved.tensors().keySet(),
                    saved.startsAtZero(),
                    base.hash(),
                    layer.kernel().isEmpty() ? saved.kernel() : layer.kernel());
            starts.add(new LayerStart(site, saved.start(), saved.tensors()));
        }
        return starts;
    }

    private static AdaptableSite requireLayer(
            AdapterState state, AdapterState.Site saved, @Nullable AdaptableSite layer, AdaptableLayers layers) {
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
        boolean fits = (saved.in() == layer.in() || saved.in() == AdapterState.UNKNOWN_SIZE)
                && (saved.out() == layer.out() || saved.out() == AdapterState.UNKNOWN_SIZE);
        if (!fits || layer.experts() != saved.experts()) {
            throw new InvalidInputException("the adapter `" + state.config().name() + "` expects the layer `"
                    + saved.module() + "` to be " + shape(saved.experts(), saved.in(), saved.out())
                    + "; in this graph it is " + shape(layer.experts(), layer.in(), layer.out())
                    + ". Load the base model the adapter was trained on");
        }
        if (!saved.kernel().isEmpty()
                && !layer.kernel().isEmpty()
                && !saved.kernel().equals(layer.kernel())) {
            throw new InvalidInputException("the adapter `" + state.config().name() + "` expects `" + saved.module()
                    + "` to be a convolution with the kernel " + saved.kernel() + "; in this graph it is "
                    + layer.kernel() + ". Load the base model the adapter was trained on");
        }
        return layer;
    }

    private static String shape(int experts, int in, int out) {
        return "[" + (experts == 1 ? "" : experts + ",") + in + "," + out + "]";
    }

    private static AdaptedSite site(
            AdapterConfig config,
            AdaptableSite layer,
            int rank,
            double alpha,
            double scaling,
            Iterable<String> shortNames,
            boolean startsAtZero,
            String hash,
            List<Integer> kernel) {
        boolean outputs = config.method().magnitude().isPresent()
                || config.method().bias().isPresent()
                || !config.method().isLowRank();
        if (layer.kind() == SiteKind.EXPERTS && outputs) {
            throw new InvalidInputException("`" + layer.module() + "` is a stack of experts, on which there is no "
                    + config.method().name() + "; choose other layers, or another method for it");
        }
        if (!kernel.isEmpty() && config.method().scales().isPresent()) {
            throw new InvalidInputException("`" + layer.module() + "` is a convolution, on which there is no "
                    + config.method().name() + " here; choose linear layers, or another method for it");
        }
        Map<String, String> names = new LinkedHashMap<>();
        shortNames.forEach(name -> names.put(name, AdapterTensors.name(layer, name, config.name())));
        return new AdaptedSite(config.name(), layer, rank, alpha, scaling, names, startsAtZero, hash, kernel);
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
