package dev.samediff.adapters.method;

import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.Scales;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * (IA)^3 (Liu et al. 2022, section 3.3): learned vectors that activations are multiplied by. With l of ones at the start:
 *
 * <pre>
 * y = l (x W + b),   l [out]        keys, values and others
 * y = (x l) W + b,   l [in]         the second product of a feed-forward block, whose input the block's activation is
 * </pre>
 *
 * <p>As in PEFT the bias is multiplied, too. Merged, {@code W l} and {@code b l}, or {@code l W}: no low-rank change. Other adapters on the
 * same layer would be multiplied as well, and therefore are not active there at the same time.
 *
 * <p>There is no rank; {@link #rank} is 1 and s is 1. Gradients with G = dL/dy: {@code dL/dl = colsum(G (x W + b))}, {@code dL/dl =
 * colsum(x (G W^T))}.
 *
 * @param feedforward the layers whose inputs are multiplied, PEFT's {@code feedforward_modules}: module paths, or ends of them; none multiplies
 *     outputs everywhere
 */
public record Ia3(List<String> feedforward) implements NoWeightChange {
    /** The method's name. */
    public static final String NAME = "ia3";

    /** The tensors' short names. PEFT calls both {@code ia3_l}. */
    public static final Scales SCALES = new Scales("ia3_in", "ia3_out");

    /**
     * The layers whose inputs are multiplied if nothing is said: those that PEFT knows of GPT-2, Llama, BERT, OPT, GPT-J, GPT-NeoX, Bloom, Falcon and
     * T5. (In a BERT, {@code output.dense} is also the end of the attention block.)
     */
    public static final List<String> USUAL_FEEDFORWARD =
            List.of("mlp.c_proj", "down_proj", "output.dense", "fc2", "fc_out", "dense_4h_to_h", "DenseReluDense.wo");

    private static final String NAMES = "feedforward";

    public Ia3 {
        feedforward = List.copyOf(feedforward);
        if (feedforward.stream().anyMatch(name -> name.isBlank() || name.contains(","))) {
            throw new InvalidInputException("the feed-forward layers of ia3 are " + feedforward
                    + "; each must be a module path, or the end of one");
        }
    }

    /** Returns (IA)^3 with the usual feed-forward layers. */
    public static Ia3 usual() {
        return new Ia3(USUAL_FEEDFORWARD);
    }

    /** Returns (IA)^3 with these feed-forward layers: module paths, or ends of them; none multiplies outputs everywhere. */
    public static Ia3 ofFeedforward(String... modules) {
        return new Ia3(List.of(modules));
    }

    /** Returns (IA)^3 by its {@link #settings}, absent ones being the usual. */
    static Ia3 of(OptionalDouble alpha, Optional<String> names) {
        if (alpha.orElse(1) != 1) {
            throw new InvalidInputException(
                    "(IA)^3 has no alpha, and " + alpha.getAsDouble() + " is given; leave it out");
        }
        return names.map(text -> text.isEmpty() ? ofFeedforward() : ofFeedforward(text.split(",")))
                .orElseGet(Ia3::usual);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int rank() {
        return 1;
    }

    @Override
    public OptionalDouble alpha() {
        return OptionalDouble.of(1);
    }

    /** 1, whatever a pattern says: there is nothing that is scaled. */
    @Override
    public double scaling(int rank, double alpha) {
        return 1;
    }

    @Override
    public Map<String, String> settings() {
        return Map.of(NAMES, String.join(",", feedforward));
    }

    /** There is no rank: the same. */
    @Override
    public Ia3 withRank(int rank) {
        return this;
    }

    @Override
    public Factorization factorize(INDArray weight, SiteShape site, Decompositions linalg, long seed) {
        if (site.kind() != SiteKind.LINEAR) {
            throw new InvalidInputException("`" + site.module()
                    + "` is no linear layer, and (IA)^3 is for those alone, as in PEFT; choose other layers, or another"
                    + " method");
        }
        boolean inputs = feedforward.stream()
                .anyMatch(name -> site.module().equals(name) || site.module().endsWith("." + name));
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put(
                inputs ? SCALES.inputs() : SCALES.outputs(),
                Nd4j.ones(weight.dataType(), inputs ? site.in() : site.out()));
        return new Factorization(tensors, true);
    }

    @Override
    public SDVariable adapt(LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String prefix) {
        boolean inputs = trainables.containsKey(SCALES.inputs());
        SDVariable change = LowRank.get(trainables, inputs ? SCALES.inputs() : SCALES.outputs())
                .sub(prefix + "from_one", 1)
                .mul(prefix + "change", scaling);
        SDVariable factors = change.add(prefix + "factors", 1);
        if (inputs) {
            return use.weight().times(prefix + "scaled_product", use.input().scaled(prefix + "scaled_input", factors));
        }
        SDVariable scaled = use.base().mul(prefix + "scaled", factors);
        return use.bias()
                .map(bias -> scaled.add(prefix + "with_bias", change.mul(prefix + "bias_change", bias)))
                .orElse(scaled);
    }

    @Override
    public Optional<Scales> scales() {
        return Optional.of(SCALES);
    }
}
