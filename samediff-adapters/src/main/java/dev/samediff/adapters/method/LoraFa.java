package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AfterStep;
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
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * LoRA-FA (Zhang et al. 2023): LoRA whose A stays as it starts; B alone is trained, so that half of the numbers, their gradients and
 * moments are gone. {@code y = x W + s (x A) B}, {@code dL/dB = s (x A)^T G}. The files are those of a LoRA. With {@link
 * #withCorrection} B's gradient is corrected as by PEFT's optimizer of that name ({@link GradientOfB}); who trains by {@code SameDiff.fit} trains
 * without.
 *
 * @param lora A's start, and the scaling
 * @param corrected whether B's gradient is corrected; not in the paper's method
 */
public record LoraFa(Lora lora, boolean corrected) implements AdapterMethod {
    /** The method's name. */
    public static final String NAME = "lora_fa";

    /** Describes the paper's method. */
    public LoraFa(Lora lora) {
        this(lora, false);
    }

    /** Returns this with B's gradient corrected, as PEFT's {@code create_lorafa_optimizer} does. */
    public LoraFa withCorrection() {
        return new LoraFa(lora, true);
    }

    /** Returns LoRA-FA of this rank with PEFT's start and s = 1. */
    public static LoraFa rank(int rank) {
        return new LoraFa(Lora.rank(rank));
    }

    @Override
    public LoraFa withRank(int newRank) {
        return new LoraFa(lora.withRank(newRank), corrected);
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
        Map<String, String> settings = new LinkedHashMap<>(lora.settings());
        if (corrected) {
            settings.put("corrected", "true");
        }
        return settings;
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
    public Optional<AfterStep> afterStep() {
        return corrected ? Optional.of(new GradientOfB()) : Optional.empty();
    }

    /** As that of earlier versions where nothing is corrected: checkpoints are compared by it. */
    @Override
    public String toString() {
        return "LoraFa[lora=" + lora + (corrected ? ", corrected" : "") + "]";
    }

    @Override
    public Set<String> frozen() {
        return Set.of(LowRank.A);
    }
}
