package dev.samediff.adapters.graph;

import dev.samediff.adapters.SiteKind;
import java.util.List;

/**
 * A stack of linear layers of a graph, one for each expert: one rank-3 weight and every matmul that uses it. Each expert is
 * adapted as a linear layer of its own; the tensors of all have one more axis in front.
 *
 * @param module module path, such as {@code model.layers.0.mlp.experts.gate_up_proj}
 * @param weight name of the weight variable, [experts,in,out] or [experts,out,in]
 * @param orientation how each expert's matrix is stored
 * @param experts number of experts
 * @param in input features
 * @param out output features
 * @param uses every matmul with this weight, in graph order, from [experts,N,in] to [experts,N,out]
 */
public record ExpertSite(
        String module, String weight, Orientation orientation, int experts, int in, int out, List<Use> uses)
        implements AdaptableSite {
    public ExpertSite {
        uses = List.copyOf(uses);
    }

    @Override
    public SiteKind kind() {
        return SiteKind.EXPERTS;
    }
}
