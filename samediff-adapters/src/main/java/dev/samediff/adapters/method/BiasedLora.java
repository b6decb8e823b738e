package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * LoRA whose second product has a bias (PEFT's {@code lora_bias}): {@code y = x W + b + s ((x A) B + c)} with c [out], zero at the
 * start. Merged, the layer's own bias is {@code b + s c}; a layer without one takes it unmerged only. As in PEFT, on linear layers.
 *
 * @param lora A and B, their start and their scaling
 */
public record BiasedLora(Lora lora) implements AdapterMethod {
    /** The method's name. */
    public static final String NAME = "lora_bias";

    /** The short name of c. */
    public static final String BIAS = "lora_bias";

    /** Returns this method of a rank with PEFT's start and s = 1. */
    public static BiasedLora rank(int rank) {
        return new BiasedLora(Lora.rank(rank));
    }

    @Override
    public BiasedLora withRank(int newRank) {
        return new BiasedLora(lora.withRank(newRank));
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int rank() {
        return lora.rank();
    }

    @Override
    public OptionalDouble alpha() {
        return lora.alpha();
    }

    @Override
    public double scaling(int layerRank, double layerAlpha) {
        return lora.scaling(layerRank, layerAlpha);
    }

    @Override
    public Map<String, String> settings() {
        return lora.settings();
    }

    @Override
    public Factorization factorize(INDArray weight, SiteShape site, Decompositions linalg, long seed) {
        if (site.kind() != SiteKind.LINEAR) {
            throw new InvalidInputException("`" + site.module()
                    + "` is no linear layer, and only those take a bias beside the factors (lora_bias); choose other layers,"
                    + " or lora");
        }
        Factorization start = lora.factorize(weight, site, linalg, seed);
        Map<String, INDArray> trainables = new LinkedHashMap<>(start.trainables());
        trainables.put(BIAS, Nd4j.zeros(weight.dataType(), site.out()));
        return new Factorization(trainables, true);
    }

    @Override
    public SDVariable adapt(LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String prefix) {
        return lora.adapt(use, scaling, trainables, prefix)
                .add(prefix + "biased", LowRank.get(trainables, BIAS).mul(prefix + "bias", scaling));
    }

    @Override
    public INDArray delta(Map<String, INDArray> trainables, double scaling) {
        return lora.delta(trainables, scaling);
    }

    /** The gradients of A and B; that of c does not depend on the weight. */
    @Override
    public Map<String, INDArray> deltaGradients(Map<String, INDArray> trainables, double scaling, INDArray ofDelta) {
        return lora.deltaGradients(trainables, scaling, ofDelta);
    }

    @Override
    public Map<String, INDArray> asLora(Map<String, INDArray> trainables) {
        return LowRank.factors(LowRank.get(trainables, LowRank.A), LowRank.get(trainables, LowRank.B));
    }

    @Override
    public Optional<String> bias() {
        return Optional.of(BIAS);
    }
}
