package dev.samediff.adapters.graph;

import dev.samediff.adapters.SiteKind;
import java.util.List;

/**
 * A linear layer of a graph: one rank-2 weight and every matmul that uses it.
 *
 * @param module module path, such as {@code transformer.h.0.attn.c_attn}
 * @param weight name of the weight variable
 * @param orientation how the weight is stored
 * @param in input features
 * @param out output features
 * @param uses every matmul with this weight, in graph order; a weight shared by several matmuls is one site
 * @param kernel sizes of the kernel, if it is a convolution ({@link ConvolutionKernels}); none otherwise
 */
public record LinearSite(
        String module, String weight, Orientation orientation, int in, int out, List<Use> uses, List<Integer> kernel)
        implements AdaptableSite {
    public LinearSite {
        uses = List.copyOf(uses);
        kernel = List.copyOf(kernel);
    }

    /** Describes a layer that is no convolution. */
    public LinearSite(String module, String weight, Orientation orientation, int in, int out, List<Use> uses) {
        this(module, weight, orientation, in, out, uses, List.of());
    }

    @Override
    public SiteKind kind() {
        return SiteKind.LINEAR;
    }
}
