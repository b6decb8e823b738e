package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AfterStep;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * AdaLoRA (Zhang et al. 2023): trains the change of the weight as a product like that of singular values, and gives ranks to the layers
 * that need them. With A [in,r], e [r] and B [r,out] (Q^T, the diagonal Lambda and P^T of section 3.1):
 *
 * <pre>
 * y = x W + s ((x A) e) B,   s = alpha / (r + 1e-5)
 * A, B random with deviation 0.02, e = 0 at the start                                    (equation 3)
 * loss + w * mean over all matrices of ||A^T A - I||_F and ||B B^T - I||_F               (equation 4)
 * </pre>
 *
 * <p>r is the rank of every layer at first, for ever in s. While it trains, {@link RankAllocation} sets e_k to zero where it matters
 * least, by the schedule of {@link RankBudget}, so that in the end the layers have different ranks, {@code target} on average. As in
 * PEFT the norms are those and not their squares, and s has the 1e-5. Unlike in PEFT, the penalty is added whatever the model's
 * class; it is left out of the clipped norm unless the plan says {@code clipPenalty}.
 *
 * @param rank r, PEFT's {@code init_r}
 * @param alpha alpha; empty means r
 * @param orthogonality w, PEFT's {@code orth_reg_weight}; 0 leaves the penalty out
 * @param budget which ranks stay
 */
public record AdaLora(int rank, OptionalDouble alpha, double orthogonality, RankBudget budget)
        implements AdapterMethod {
    /** The method's name. */
    public static final String NAME = "adalora";

    /** PEFT's weight of the penalty. */
    public static final double DEFAULT_ORTHOGONALITY = 0.5;

    /** Short name of A. */
    public static final String A = LowRank.A;

    /** Short name of e, which is PEFT's. */
    public static final String E = "lora_E";

    /** Short name of B. */
    public static final String B = LowRank.B;

    private static final double DEVIATION = 0.02;
    private static final double EPSILON = 1e-5;
    private static final WeightedProduct PRODUCT = new WeightedProduct(A, E, B);

    public AdaLora {
        HyperParameters.check(NAME, rank, alpha);
        if (!(orthogonality >= 0) || Double.isInfinite(orthogonality)) {
            throw new InvalidInputException("the setting `orthogonality` of adalora is " + orthogonality
                    + "; expected zero or a positive number, such as PEFT's 0.5");
        }
        if (budget.target(rank) > rank) {
            throw new InvalidInputException("adalora starts with the rank " + rank + " and shall keep "
                    + budget.target(rank) + " (target); a target is at most the rank");
        }
    }

    /** Returns AdaLoRA of this rank at first, with s = 1 and PEFT's other defaults, that keeps two thirds of the ranks. */
    public static AdaLora rank(int rank) {
        return new AdaLora(rank, OptionalDouble.empty(), DEFAULT_ORTHOGONALITY, RankBudget.DEFAULT);
    }

    @Override
    public AdaLora withRank(int newRank) {
        return new AdaLora(newRank, alpha, orthogonality, budget);
    }

    /** Returns this with an alpha. */
    public AdaLora withAlpha(double newAlpha) {
        return new AdaLora(rank, OptionalDouble.of(newAlpha), orthogonality, budget);
    }

    /** Returns this with another weight of the penalty. */
    public AdaLora withOrthogonality(double weight) {
        return new AdaLora(rank, alpha, weight, budget);
    }

    /** Returns this with another schedule. */
    public AdaLora withBudget(RankBudget newBudget) {
        return new AdaLora(rank, alpha, orthogonality, newBudget);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public double scaling(int layerRank, double layerAlpha) {
        return layerAlpha / (layerRank + EPSILON);
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("orthogonality", Double.toString(orthogonality));
        settings.putAll(budget.settings());
        return settings;
    }

    @Override
    public Factorization factorize(INDArray weight, SiteShape site, Decompositions linalg, long seed) {
        Random random = new Random(seed);
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        DataType type = weight.dataType();
        tensors.put(A, normal(random, site.in(), site.rank()).castTo(type));
        tensors.put(E, Nd4j.zeros(type, site.rank()));
        tensors.put(B, normal(random, site.rank(), site.out()).castTo(type));
        return new Factorization(tensors, true);
    }

    private static INDArray normal(Random random, int rows, int columns) {
        double[] numbers = new double[Math.multiplyExact(rows, columns)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = random.nextGaussian() * DEVIATION;
        }
        return Nd4j.createFromArray(numbers).reshape('c', rows, columns);
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

    /** A' = A diag(e), B' = B. */
    @Override
    public Map<String, INDArray> asLora(Map<String, INDArray> trainables) {
        return LowRank.factors(
                LowRank.get(trainables, A).mulRowVector(LowRank.get(trainables, E)), LowRank.get(trainables, B));
    }

    @Override
    public Optional<Penalty> penalty() {
        if (orthogonality == 0) {
            return Optional.empty();
        }
        Penalty mean = new OrthonormalPenalty(OrthonormalPenalty.Form.REPO, orthogonality, A, B);
        return Optional.of(new FixedPenalty(mean, orthogonality));
    }

    /** Nothing, if all ranks are kept. */
    @Override
    public Optional<AfterStep> afterStep() {
        return budget.target(rank) == rank ? Optional.empty() : Optional.of(new RankAllocation(budget, rank));
    }
}
