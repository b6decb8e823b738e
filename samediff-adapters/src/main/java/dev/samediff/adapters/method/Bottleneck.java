package dev.samediff.adapters.method;

import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Bottleneck adapters: two small layers with an activation f between them, beside a frozen one or behind it. With {@code y = x W + b}, A [.,r],
 * a [r], B [r,out] and c [out]:
 *
 * <pre>
 * houlsby:   y + s (f(y A + a) B + c)     behind the layer, A [out,r]    (Houlsby et al. 2019, section 2.1)
 * parallel:  y + s (f(x A + a) B + c)     beside it, A [in,r]            (He et al. 2022, "Towards a unified view", section 4.1)
 * </pre>
 *
 * <p>B and c start at zero, so that nothing changes at first; A as LoRA's. (Houlsby et al. draw all of them small.) s is alpha / r. Because of f
 * there is no weight that does the same: they are never merged, and have no form in PEFT, which has no such method.
 *
 * <p>Where they belong is said by the targets: of Houlsby's the last layers of the attention and feed-forward blocks, such as {@code attn.c_proj}
 * and {@code mlp.c_proj}; beside such a feed-forward layer the parallel one sees the inner activations, as wide as the block is inside. What other
 * adapters on the layer add, those behind it would see or not by their order: Houlsby's are active there alone.
 *
 * @param placement behind the layer or beside it
 * @param rank r, the width of the bottleneck
 * @param alpha alpha; empty means r, s = 1
 * @param activation f
 */
public record Bottleneck(Placement placement, int rank, OptionalDouble alpha, Activation activation)
        implements NoWeightChange {
    /** The name of those behind a layer. */
    public static final String HOULSBY = "houlsby";

    /** The name of those beside a layer. */
    public static final String PARALLEL = "parallel";

    /** Short name of A of those behind a layer, [out,r]; beside one it is {@code parallel_A} [in,r]. */
    public static final String SERIAL_A = "serial_A";

    private static final String PARALLEL_A = "parallel_A";
    private static final String B = "bottleneck_B";

    /** Short name of a [r]. */
    private static final String DOWN_BIAS = "bottleneck_bias";

    /** Short name of c [out]. */
    public static final String UP_BIAS = "bottleneck_out_bias";

    /** Where the adapter is. */
    public enum Placement {
        /** Behind the layer, whose output it sees. */
        SERIAL,
        /** Beside the layer, whose input it sees. */
        PARALLEL
    }

    /** f. */
    public enum Activation {
        /** max(x, 0). */
        RELU,
        /** tanh x. */
        TANH,
        /** x sigmoid(x). */
        SILU;

        SDVariable of(SDVariable x, String name) {
            SameDiff graph = x.getSameDiff();
            return switch (this) {
                case RELU -> graph.nn.relu(name, x, 0);
                case TANH -> graph.math.tanh(name, x);
                case SILU -> x.mul(name, graph.nn.sigmoid(name + "/gate", x));
            };
        }
    }

    public Bottleneck {
        HyperParameters.check(placement == Placement.SERIAL ? HOULSBY : PARALLEL, rank, alpha);
    }

    /** Returns adapters behind layers, with s = 1 and rectified linear units. */
    public static Bottleneck houlsby(int width) {
        return new Bottleneck(Placement.SERIAL, width, OptionalDouble.empty(), Activation.RELU);
    }

    /** Returns adapters beside layers, with s = 1 and rectified linear units. */
    public static Bottleneck parallel(int width) {
        return new Bottleneck(Placement.PARALLEL, width, OptionalDouble.empty(), Activation.RELU);
    }

    /** Returns this with an alpha. */
    public Bottleneck withAlpha(double newAlpha) {
        return new Bottleneck(placement, rank, OptionalDouble.of(newAlpha), activation);
    }

    /** Returns this with another activation. */
    public Bottleneck withActivation(Activation other) {
        return new Bottleneck(placement, rank, alpha, other);
    }

    @Override
    public Bottleneck withRank(int newRank) {
        return new Bottleneck(placement, newRank, alpha, activation);
    }

    @Override
    public String name() {
        return placement == Placement.SERIAL ? HOULSBY : PARALLEL;
    }

    @Override
    public double scaling(int layerRank, double layerAlpha) {
        return HyperParameters.scaling(layerRank, layerAlpha, false);
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("activation", activation.name().toLowerCase(Locale.ROOT));
    }

    @Override
    public Factorization factorize(INDArray weight, SiteShape site, Decompositions linalg, long seed) {
        if (site.kind() != SiteKind.LINEAR) {
            throw new InvalidInputException("`" + site.module() + "` is no linear layer, and bottleneck adapters ("
                    + name() + ") are put behind and beside those alone; choose other layers, or another method");
        }
        boolean serial = placement == Placement.SERIAL;
        int width = serial ? site.out() : site.in();
        double bound = 1 / Math.sqrt(width);
        double[] a = new Random(seed)
                .doubles((long) width * site.rank(), -bound, bound)
                .toArray();
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put(
                serial ? SERIAL_A : PARALLEL_A,
                Nd4j.createFromArray(a).reshape(width, site.rank()).castTo(weight.dataType()));
        tensors.put(DOWN_BIAS, Nd4j.zeros(weight.dataType(), site.rank()));
        tensors.put(B, Nd4j.zeros(weight.dataType(), site.rank(), site.out()));
        tensors.put(UP_BIAS, Nd4j.zeros(weight.dataType(), site.out()));
        return new Factorization(tensors, true);
    }

    @Override
    public SDVariable adapt(LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String prefix) {
        SameDiff graph = use.input().graph();
        SDVariable down;
        if (placement == Placement.PARALLEL) {
            down = use.input().times(prefix + "down", LowRank.get(trainables, PARALLEL_A));
        } else {
            SDVariable output = use.bias()
                    .map(bias -> use.base().add(prefix + "layer_output", bias))
                    .orElse(use.base());
            down = graph.mmul(prefix + "down", output, LowRank.get(trainables, SERIAL_A));
        }
        SDVariable inner =
                activation.of(down.add(prefix + "inner", LowRank.get(trainables, DOWN_BIAS)), prefix + "activated");
        SDVariable up = graph.mmul(prefix + "up", inner, LowRank.get(trainables, B))
                .add(prefix + "biased", LowRank.get(trainables, UP_BIAS));
        return use.base().add(prefix + "sum", up.mul(prefix + "scaled", scaling));
    }

    @Override
    public Optional<String> unmergeable() {
        return Optional.of("has an activation between its two products, so that no weight does the same");
    }

    @Override
    public boolean actsAlone() {
        return placement == Placement.SERIAL;
    }
}
