package dev.samediff.adapters;

import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the active adapters do to one layer, as numbers: {@code y = x base + (x down) up}; x stands for one-hot rows if the
 * layer is an embedding.
 *
 * @param module module path
 * @param weight the weight's variable
 * @param kind what the layer does with its weight
 * @param base the residual weight in the stored orientation; empty if it is the true weight
 * @param down [in,r]; several adapters side by side
 * @param up [r,out], multiplied by the scaling
 */
public record LowRankUpdate(
        String module, String weight, SiteKind kind, Optional<INDArray> base, INDArray down, INDArray up) {}
