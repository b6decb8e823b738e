package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * LoRA (Hu et al. 2021): {@code y = x W + s (x A) B} with A [in,r] random, B [r,out] zero, W frozen. On an embedding it is
 * the other way round, as in PEFT, whatever the start: A is zero, B is N(0, 1).
 *
 * @param rank r
 * @param alpha alpha, s = alpha / r; empty (the default) means alpha = r for every layer, s = 1. (PEFT's default alpha is
 *     8 whatever the rank, so that its s changes with the rank.)
 * @param rankStabilized whether s = alpha / sqrt(r) (rsLoRA)
 * @param start distribution of A
 */
public record Lora(int rank, OptionalDouble alpha, boolean rankStabilized, Start start) implements AdapterMethod {
    /** The method's name. */
    public static final String NAME = "lora";

    /** How A of a linear layer starts; B starts at zero. */
    public enum Start {
        /** U(-1/sqrt(in), 1/sqrt(in)): PEFT's default, kaiming uniform with a = sqrt(5). */
        KAIMING_UNIFORM,
        /** N(0, 1/r^2): PEFT's {@code gaussian}. */
        GAUSSIAN
    }

    public Lora {
        HyperParameters.check(NAME, rank, alpha);
    }

    /** Returns LoRA of this rank with PEFT's start and s = 1. */
    public static Lora rank(int rank) {
        return new Lora(rank, OptionalDouble.empty(), false, Start.KAIMING_UNIFORM);
    }

    @Override
    public Lora withRank(int newRank) {
        return new Lora(newRank, alpha, rankStabilized, start);
    }

    /** Returns this with an alpha. */
    public Lora withAlpha(double newAlpha) {
        return new Lora(rank, OptionalDouble.of(newAlpha), rankStabilized, start);
    }

    /** Returns this with s = alpha / sqrt(r). */
    public Lora withRankStabilizedScaling() {
        return new Lora(rank, alpha, true, start);
    }

    /** Returns this with another distribution of A. */
    public Lora withStart(Start newStart) {
        return new Lora(rank, alpha, rankStabilized, newStart);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public double scaling(int layerRank, double layerAlpha) {
        return HyperParameters.scaling(layerRank, layerAlpha, rankStabilized);
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("rslora", Boolean.toString(rankStabilized));
        settings.put("start", start.name().toLowerCase(Locale.ROOT));
        return settings;
    }

    @Override
    public Factorization factorize(INDArray weight, SiteShape site, Decompositions linalg, long seed) {
        Random random = new Random(seed);
        DataType type = weight.dataType();
        if (site.kind() == SiteKind.EMBEDDING) {
            return ofEmbedding(site, random, type);
        }
        double bound = 1 / Math.sqrt(site.in());
        double[] a = new double[site.in() * site.rank()];
        for (int i = 0; i < a.length; i++) {
            a[i] = switch (start) {
                case KAIMING_UNIFORM -> (2 * random.nextDouble() - 1) * bound;
                case GAUSSIAN -> random.nextGaussian() / site.rank();
            };
        }
        return new Factorization(
                LowRank.factors(
                        Nd4j.createFromArray(a).reshape(site.in(), site.rank()).castTo(type),
                        Nd4j.zeros(type, site.rank(), site.out())),
                true);
    }

    private static Factorization ofEmbedding(SiteShape site, Random random, DataType type) {
        double[] b = new double[site.rank() * site.out()];
        for (int i = 0; i < b.length; i++) {
            b[i] = random.nextGaussian();
        }
        return new Factorization(
                LowRank.factors(
                        Nd4j.zeros(type, site.in(), site.rank()),
                        Nd4j.createFromArray(b).reshape(site.rank(), site.out()).castTo(type)),
                true);
    }

    @Override
    public SDVariable adapt(LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String prefix) {
        return LowRank.adapt(use, scaling, trainables, prefix);
    }

    @Override
    public INDArray delta(Map<String, INDArray> trainables, double scaling) {
        return LowRank.delta(trainables, scaling);
    }

    @Override
    public Map<String, INDArray> deltaGradients(Map<String, INDArray> trainables, double scaling, INDArray ofDelta) {
        return LowRank.deltaGradients(trainables, scaling, ofDelta);
    }

    @Override
    public Map<String, INDArray> asLora(Map<String, INDArray> trainables) {
        return trainables;
    }
}
