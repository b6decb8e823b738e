package dev.samediff.adapters;

import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What the active adapters do to one layer, as numbers: {@code y = x base + (x down) up}; x stands for one-hot rows if the
 * layer is an embedding. A tensor that is trained whole, which need not be a layer's weight, is {@code base} alone.
 *
 * @param module module path
 * @param weight the weight's variable
 * @param kind what the layer does with its weight
 * @param base the residual weight, or the new tensor, in the stored orientation; empty if it is the true weight
 * @param down [in,r], of experts [experts,in,r]; several adapters side by side; empty if the tensor is replaced
 * @param up [r,out], of experts [experts,r,out], multiplied by the scaling; empty if the tensor is replaced
 */
public record LowRankUpdate(
        String module, String weight, SiteKind kind, Optional<INDArray> base, INDArray down, INDArray up) {
    /** Describes a tensor that is replaced by another. */
    public static LowRankUpdate replacement(String module, String variable, INDArray tensor) {
        return new LowRankUpdate(
                module,
                variable,
                SiteKind.LINEAR,
                Optional.of(tensor),
                Nd4j.empty(tensor.dataType()),
                Nd4j.empty(tensor.dataType()));
    }

    /** Returns whether the tensor is replaced, with nothing beside it. */
    public boolean isReplacement() {
        return down.isEmpty();
    }
}
