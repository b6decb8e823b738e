package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.Map;
import java.util.OptionalDouble;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * OLoRA (Büyükakyüz 2024): LoRA that starts from the QR decomposition of the weight. With {@code W^T = Q R}, Q [out,k]:
 * {@code B = Q_r^T [r,out]}, {@code A = R_r^T [in,r]}, and the frozen weight becomes {@code W - s A B}.
 *
 * <p>The decomposition is of the transpose, as in PEFT, so that B has orthonormal rows; that of W itself would be another
 * method. As in PEFT the factors are not divided by s: for s other than 1 the residual is not the one of s = 1.
 *
 * @param rank r
 * @param alpha alpha, s = alpha / r; empty (the default) means alpha = r for every layer, s = 1
 * @param rankStabilized whether s = alpha / sqrt(r)
 */
public record OLora(int rank, OptionalDouble alpha, boolean rankStabilized) implements AdapterMethod {
    /** The method's name. */
    public static final String NAME = "olora";

    public OLora {
        HyperParameters.check(NAME, rank, alpha);
    }

    /** Returns OLoRA of this rank with s = 1. */
    public static OLora rank(int rank) {
        return new OLora(rank, OptionalDouble.empty(), false);
    }

    @Override
    public OLora withRank(int newRank) {
        return new OLora(newRank, alpha, rankStabilized);
    }

    /** Returns this with an alpha. */
    public OLora withAlpha(double newAlpha) {
        return new OLora(rank, OptionalDouble.of(newAlpha), rankStabilized);
    }

    /** Returns this with s = alpha / sqrt(r). */
    public OLora withRankStabilizedScaling() {
        return new OLora(rank, alpha, true);
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
        return Map.of("rslora", Boolean.toString(rankStabilized));
    }

    @Override
    public Factorization factorize(INDArray weight, SiteShape site, Decompositions linalg, long seed) {
        Decompositions.Qr qr = linalg.qr(weight.transpose(), site.rank());
        INDArray a = qr.r().transpose().dup('c');
        INDArray b = qr.q().transpose().dup('c');
        return new Factorization(LowRank.factors(a, b), false);
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
