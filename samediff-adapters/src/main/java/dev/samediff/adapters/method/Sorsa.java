package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AfterStep;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * SORSA (Cao and Song 2024): trains the principal singular triplets themselves and keeps their vectors orthonormal. With
 * {@code W = U diag(S) V^T}: A = U_r [in,r], S = S_r [r], B = V_r^T [r,out], {@code y = x (W - s U_r S_r V_r^T) + s ((x A)
 * S) B}, and the loss gets {@code gamma / eta_max (||A^T A - I||_F^2 + ||B B^T - I||_F^2)} per layer (equation 10).
 *
 * @param rank r
 * @param alpha alpha, s = alpha / r; empty (the default, and the paper, which has no alpha) means s = 1
 * @param gamma weight of the orthonormal regulariser; 0 leaves it out
 * @param regularizer which definition of the regulariser
 * @param iterations power iterations of a randomised decomposition; empty means the exact one
 * @param retraction updates from one re-orthonormalisation of A and B to the next ({@link Retraction}); 0 means none, as in the paper
 * @param cut when ranks are given up because of their singular values; never, as in the paper, if it is empty
 */
public record Sorsa(
        int rank,
        OptionalDouble alpha,
        double gamma,
        OrthonormalPenalty.Form regularizer,
        OptionalInt iterations,
        int retraction,
        Optional<SingularValueCut> cut)
        implements AdapterMethod {
    /** The method's name. */
    public static final String NAME = "sorsa";

    /** gamma of the authors' published runs. */
    public static final double DEFAULT_GAMMA = 4e-4;

    static final String A = "sorsa_A";
    static final String S = "sorsa_S";
    static final String B = "sorsa_B";

    private static final WeightedProduct PRODUCT = new WeightedProduct(A, S, B);

    public Sorsa {
        HyperParameters.check(NAME, rank, alpha);
        if (retraction < 0) {
            throw new InvalidInputException("the setting `retraction` of sorsa is " + retraction
                    + "; expected the updates from one to the next, or 0 for none");
        }
        HyperParameters.checkIterations(NAME, iterations);
        if (!(gamma >= 0) || Double.isInfinite(gamma)) {
            throw new InvalidInputException(
                    "gamma " + gamma + " of sorsa is not zero or a positive number; the authors used 4e-4");
        }
    }

    /** Describes SORSA without re-orthonormalisation. */
    public Sorsa(
            int rank, OptionalDouble alpha, double gamma, OrthonormalPenalty.Form regularizer, OptionalInt iterations) {
        this(rank, alpha, gamma, regularizer, iterations, 0, Optional.empty());
    }

    /** Returns SORSA of this rank with the paper's regulariser, gamma = 4e-4 and s = 1. */
    public static Sorsa rank(int rank) {
        return new Sorsa(
                rank, OptionalDouble.empty(), DEFAULT_GAMMA, OrthonormalPenalty.Form.SUMSQ, OptionalInt.empty());
    }

    @Override
    public Sorsa withRank(int newRank) {
        return new Sorsa(newRank, alpha, gamma, regularizer, iterations, retraction, cut);
    }

    /** Returns this with an alpha. */
    public Sorsa withAlpha(double newAlpha) {
        return new Sorsa(rank, OptionalDouble.of(newAlpha), gamma, regularizer, iterations, retraction, cut);
    }

    /** Returns this with another gamma. */
    public Sorsa withGamma(double newGamma) {
        return new Sorsa(rank, alpha, newGamma, regularizer, iterations, retraction, cut);
    }

    /** Returns this with another definition of the regulariser. */
    public Sorsa withRegularizer(OrthonormalPenalty.Form form) {
        return new Sorsa(rank, alpha, gamma, form, iterations, retraction, cut);
    }

    /** Returns this with a randomised decomposition; 4 to 16 iterations are usual. */
    public Sorsa withFastStart(int powerIterations) {
        return new Sorsa(rank, alpha, gamma, regularizer, OptionalInt.of(powerIterations), retraction, cut);
    }

    /** Returns this with A and B made orthonormal again after every so many updates; 0 for never. */
    public Sorsa withRetraction(int updates) {
        return new Sorsa(rank, alpha, gamma, regularizer, iterations, updates, cut);
    }

    /**
     * Returns this with ranks given up whose singular value is smaller than a share of the layer's largest.
     *
     * @param share above 0 and below 1
     * @param interval updates from one cut to the next
     */
    public Sorsa withCut(double share, int interval) {
        SingularValueCut rule = new SingularValueCut(share, interval);
        return new Sorsa(rank, alpha, gamma, regularizer, iterations, retraction, Optional.of(rule));
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public double scaling(int layerRank, double layerAlpha) {
        return HyperParameters.scaling(layerRank, layerAlpha, false);
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("gamma", Double.toString(gamma));
        settings.put("regularizer", regularizer.name().toLowerCase(Locale.ROOT));
        iterations.ifPresent(n -> settings.put("niter", Integer.toString(n)));
        if (retraction > 0) {
            settings.put("retraction", Integer.toString(retraction));
        }
        cut.ifPresent(rule -> {
            settings.put("cut_below", Double.toString(rule.share()));
            settings.put("cut_every", Integer.toString(rule.interval()));
        });
        return settings;
    }

    @Override
    public Factorization factorize(INDArray weight, SiteShape site, Decompositions linalg, long seed) {
        Decompositions.Svd svd = LowRank.svd(weight, site, linalg, iterations, seed);
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put(A, LowRank.firstColumns(svd.u(), site.rank()));
        tensors.put(S, svd.s().get(NDArrayIndex.interval(0, site.rank())).dup());
        tensors.put(B, LowRank.firstRows(svd.vt(), site.rank()));
        return new Factorization(tensors, false);
    }

    @Override
    public SDVariable adapt(LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String prefix) {
        return PRODUCT.adapt(use, scaling, trainables, prefix);
    }

    @Override
    public INDArray delta(Map<String, INDArray> trainables, double scaling) {
        return PRODUCT.delta(trainables, scaling);
    }

    @Override
    public Map<String, INDArray> deltaGradients(Map<String, INDArray> trainables, double scaling, INDArray ofDelta) {
        return PRODUCT.deltaGradients(trainables, scaling, ofDelta);
    }

    /** A' = A, B' = diag(S) B. */
    @Override
    public Map<String, INDArray> asLora(Map<String, INDArray> trainables) {
        return LowRank.factors(
                LowRank.get(trainables, A), LowRank.get(trainables, B).mulColumnVector(LowRank.get(trainables, S)));
    }

    @Override
    public Optional<Penalty> penalty() {
        return gamma == 0 ? Optional.empty() : Optional.of(new OrthonormalPenalty(regularizer, gamma, A, B));
    }

    @Override
    public Optional<AfterStep> afterStep() {
        List<AfterStep> steps = new ArrayList<>();
        if (retraction > 0) {
            steps.add(new Retraction(retraction, A, B));
        }
        cut.ifPresent(rule -> steps.add(new SingularValueCuts(rule, S)));
        return StepSequence.of(steps);
    }

    /** As that of earlier versions where nothing is re-orthonormalised or cut: checkpoints are compared by it. */
    @Override
    public String toString() {
        return "Sorsa[rank=" + rank + ", alpha=" + alpha + ", gamma=" + gamma + ", regularizer=" + regularizer
                + ", iterations=" + iterations + (retraction == 0 ? "" : ", retraction=" + retraction)
                + cut.map(rule -> ", cut=" + rule).orElse("") + "]";
    }
}
