package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.StopGradient;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DoRA (Liu et al. 2024): trains the lengths of the weight's columns and their directions apart. With {@code V = W + s A B} of a
 * method of two factors, and m [out]:
 *
 * <pre>
 * y = f (x V),   f_j = m_j / ||V_j||,   m = ||W_j|| at the start, so that f = 1       (equation 5)
 * </pre>
 *
 * <p>The lengths follow A and B, but no gradient goes through them (section 4.3), as in PEFT; a bias is not scaled; where V has a zero
 * column, f is 1 (PEFT divides by zero there). V is never formed: {@code ||V_j||^2 = ||W_j||^2 + s sum_k (2 A^T W + s A^T A B)_kj B_kj},
 * whose cost is that of r rows through the layer.
 *
 * <p>With dropout, {@code y = x W + f (d V) - d W} with d the input that is left, as in PEFT: a second product with W in training.
 *
 * @param directions how A and B start, and their scaling: LoRA, OLoRA or PiSSA
 */
public record Dora(AdapterMethod directions) implements AdapterMethod {
    /** The method's name. */
    public static final String NAME = "dora";

    /** The short name of m, which is PEFT's. */
    public static final String MAGNITUDE = "lora_magnitude_vector";

    /** Takes every number that is not zero beyond 1. */
    private static final double LARGE = 1e30;

    public Dora {
        if (!(directions instanceof Lora || directions instanceof OLora || directions instanceof Pissa)) {
            throw new InvalidInputException("dora cannot have the directions of " + directions.name()
                    + "; it takes those of lora, olora or pissa, which have two factors");
        }
    }

    /** Returns DoRA of this rank on PEFT's start of LoRA, with s = 1. */
    public static Dora rank(int rank) {
        return new Dora(Lora.rank(rank));
    }

    @Override
    public Dora withRank(int newRank) {
        return new Dora(directions.withRank(newRank));
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int rank() {
        return directions.rank();
    }

    @Override
    public OptionalDouble alpha() {
        return directions.alpha();
    }

    @Override
    public double scaling(int layerRank, double layerAlpha) {
        return directions.scaling(layerRank, layerAlpha);
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("directions", directions.name());
        settings.putAll(directions.settings());
        return settings;
    }

    @Override
    public Factorization factorize(INDArray weight, SiteShape site, Decompositions linalg, long seed) {
        Factorization start = directions.factorize(weight, site, linalg, seed);
        Map<String, INDArray> trainables = new LinkedHashMap<>(start.trainables());
        trainables.put(MAGNITUDE, lengths(weight));
        return new Factorization(trainables, start.startsAtZero());
    }

    private static INDArray lengths(INDArray weight) {
        return LowRank.doubles(weight).norm2(0).castTo(weight.dataType());
    }

    @Override
    public SDVariable adapt(LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String prefix) {
        boolean drops = use.input().isDropped();
        SDVariable base = drops ? use.weight().times(prefix + "dropped_base", use.input()) : use.base();
        LayerUse seen = new LayerUse(use.input(), base, use.weight(), use.bias());
        SDVariable unscaled = directions.adapt(seen, scaling, trainables, prefix);
        SDVariable lengths = lengths(use, scaling, trainables, prefix + "lengths");
        SDVariable zero = notZero(lengths, prefix + "some").rsub(prefix + "zero", 1);
        SDVariable factors = LowRank.get(trainables, MAGNITUDE)
                .add(prefix + "magnitude", zero)
                .div(prefix + "factors", lengths.add(prefix + "divisor", zero));
        SDVariable acting = factors.sub(prefix + "change", 1)
                .mul(prefix + "acting", notZero(scaling, prefix + "on"))
                .add(prefix + "columns", 1);
        if (!drops) {
            return unscaled.mul(prefix + "output", acting);
        }
        SDVariable change = unscaled.mul(prefix + "scaled_columns", acting).sub(prefix + "column_change", base);
        return use.base().add(prefix + "output", change);
    }

    /** 1, or 0 where a number is zero, by ops that every engine has. */
    private static SDVariable notZero(SDVariable number, String name) {
        SameDiff graph = number.getSameDiff();
        SDVariable size = graph.math.abs(name + "/size", number).mul(name + "/large", LARGE);
        return graph.math.clipByValue(name, size, 0, 1);
    }

    /** ||V_j|| [out], through which no gradient goes. */
    private static SDVariable lengths(
            LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String name) {
        SameDiff graph = use.input().graph();
        SDVariable a = LowRank.get(trainables, LowRank.A);
        SDVariable b = LowRank.get(trainables, LowRank.B);
        SDVariable ofWeight = use.weight().timesFromLeft(name + "/of_weight", a);
        SDVariable ofChange = graph.mmul(name + "/of_change", graph.mmul(name + "/gram", a, a, true, false, false), b);
        SDVariable both = ofWeight.mul(name + "/twice", 2).add(name + "/both", ofChange.mul(name + "/scaled", scaling));
        SDVariable ones = graph.constant(name + "/ones", Nd4j.ones(a.dataType(), 1, a.getShape()[1]));
        SDVariable sums = graph.mmul(name + "/row", ones, both.mul(name + "/products", b)); // sum(0) fails if r is 1
        SDVariable added = graph.reshape(name + "/sums", sums, -1).mul(name + "/added", scaling);
        SDVariable squares = use.weight().columnSquares().add(name + "/squares", added);
        SDVariable lengths = graph.math.sqrt(name + "/lengths", graph.nn.relu(name + "/positive", squares, 0));
        return new StopGradient(graph, lengths).outputVariable().rename(name);
    }

    @Override
    public INDArray delta(Map<String, INDArray> trainables, double scaling) {
        return directions.delta(trainables, scaling);
    }

    /** The gradients of A and B; that of m depends on the whole weight, see {@link #magnitude}. */
    @Override
    public Map<String, INDArray> deltaGradients(Map<String, INDArray> trainables, double scaling, INDArray ofDelta) {
        return directions.deltaGradients(trainables, scaling, ofDelta);
    }

    @Override
    public Map<String, INDArray> asLora(Map<String, INDArray> trainables) {
        return directions.asLora(
                LowRank.factors(LowRank.get(trainables, LowRank.A), LowRank.get(trainables, LowRank.B)));
    }

    @Override
    public Optional<String> magnitude() {
        return Optional.of(MAGNITUDE);
    }
}
