package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * LoRA-FA (Zhang et al. 2023): LoRA whose A stays as it starts; B alone is trained, so that half of the numbers, their gradients and
 * moments are gone. {@code y = x W + s (x A) B}, {@code dL/dB = s (x A)^T G}. The files are those of a LoRA. The correction of B's
 * gradient by {@code (A^T A)^-1}, which a later optimizer of that name makes, is not done here.
 *
 * @param lora A's start, and the scaling
 */
public record LoraFa(Lora lora) implements AdapterMethod {
    /** The method's name. */
    public static final String NAME = "lora_fa";

    /** Returns LoRA-FA of this rank with PEFT's start and s = 1. */
    public static LoraFa rank(int rank) {
        return new LoraFa(Lora.rank(rank));
    }

    @Override
    public LoraFa withRank(int newRank) {
        return new LoraFa(lora.withRank(newRank));
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
        if (site.kind() == SiteKind.EMBEDDING) {
            throw new InvalidInputException("`" + site.module()
                    + "` is an embedding, whose A starts at zero, so that nothing would be trained with it frozen (lora_fa);"
                    + " choose linear layers, or lora");
        }
        return lora.factorize(weight, site, linalg, seed);
    }

    @Override
    public SDVariable adapt(LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String prefix) {
        return lora.adapt(use, scaling, trainables, prefix);
    }

    @Override
    public INDArray delta(Map<String, INDArray> trainables, double scaling) {
        return lora.delta(trainables, scaling);
    }

    @Override
    public Map<String, INDArray> deltaGradients(Map<String, INDArray> trainables, double scaling, INDArray ofDelta) {
        return lora.deltaGradients(trainables, scaling, ofDelta);
    }

    @Override
    public Map<String, INDArray> asLora(Map<String, INDArray> trainables) {
        return lora.asLora(trainables);
    }

    @Override
    public Set<String> frozen() {
        return Set.of(LowRank.A);
    }
}
