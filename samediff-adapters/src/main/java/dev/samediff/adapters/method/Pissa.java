package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * PiSSA (Meng et al. 2024): LoRA that starts from the principal singular triplets of the weight. With
 * {@code W = U diag(S) V^T}: {@code A = U_r diag(sqrt(S_r / s)) [in,r]}, {@code B = diag(sqrt(S_r / s)) V_r^T [r,out]},
 * and the frozen weight becomes {@code W - s A B}, the minor components.
 *
 * @param rank r
 * @param alpha alpha, s = alpha / r; empty (the default) means alpha = r for every layer, s = 1, as in the paper
 * @param rankStabilized whether s = alpha / sqrt(r)
 * @param iterations power iterations of the fast randomised decomposition (PEFT's {@code pissa_niter_n}, here with
 *     oversampling); empty means the exact one
 */
public record Pissa(int rank, OptionalDouble alpha, boolean rankStabilized, OptionalInt iterations)
        implements AdapterMethod {
    /** The method's name. */
    public static final String NAME = "pissa";

    public Pissa {
        HyperParameters.check(NAME, rank, alpha);
        HyperParameters.checkIterations(NAME, iterations);
    }

    /** Returns PiSSA of this rank with s = 1 and the exact decomposition. */
    public static Pissa rank(int rank) {
        return new Pissa(rank, OptionalDouble.empty(), false, OptionalInt.empty());
    }

    @Override
    public Pissa withRank(int newRank) {
        return new Pissa(newRank, alpha, rankStabilized, iterations);
    }

    /** Returns this with an alpha. */
    public Pissa withAlpha(double newAlpha) {
        return new Pissa(rank, OptionalDouble.of(newAlpha), rankStabilized, iterations);
    }

    /** Returns this with s = alpha / sqrt(r). */
    public Pissa withRankStabilizedScaling() {
        return new Pissa(rank, alpha, true, iterations);
    }

    /** Returns this with the fast decomposition; 4 to 16 iterations are usual. */
    public Pissa withFastStart(int powerIterations) {
        return new Pissa(rank, alpha, rankStabilized, OptionalInt.of(powerIterations));
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
        iterations.ifPresent(n -> settings.put("niter", Integer.toString(n)));
        return settings;
    }

    @Override
    public Factorization factorize(INDArray weight, SiteShape site, Decompositions linalg, long seed) {
        Decompositions.Svd svd = LowRank.svd(weight, site, linalg, iterations, seed);
        INDArray s = svd.s().get(NDArrayIndex.interval(0, site.rank()));
        INDArray root = Transforms.sqrt(LowRank.doubles(s).div(site.scaling()));
        INDArray a = LowRank.doubles(LowRank.firstColumns(svd.u(), site.rank())).muliRowVector(root);
        INDArray b = LowRank.doubles(LowRank.firstRows(svd.vt(), site.rank())).muliColumnVector(root);
        return new Factorization(LowRank.factors(a.castTo(weight.dataType()), b.castTo(weight.dataType())), false);
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
