package dev.samediff.adapters.graph;

import dev.samediff.adapters.SiteKind;
import java.util.List;

/** A weight of a graph, or a stack of weights, that an adapter can be put on, with every op that uses it. */
public sealed interface AdaptableSite permits LinearSite, EmbeddingSite, ExpertSite {
    /** Returns the module path, such as {@code transformer.h.0.attn.c_attn} or {@code transformer.wte}. */
    String module();

    /** Returns the name of the weight variable. */
    String weight();

    /** Returns how the weight is stored. */
    Orientation orientation();

    /** Returns the number of input features; of an embedding, the number of rows that can be looked up. */
    int in();

    /** Returns the number of output features. */
    int out();

    /** Returns every use of the weight, in graph order. */
    List<Use> uses();

    /** Returns what the layer does with the weight. */
    SiteKind kind();

    /** Returns how many matrices [in,out] the weight holds; one, unless it is a stack of experts. */
    default int experts() {
        return 1;
    }

    /** Returns the sizes of the kernel, if the layer is a convolution; in is that of all places of the kernel then. */
    default List<Integer> kernel() {
        return List.of();
    }

    /** Returns the number of weight elements. */
    default long parameters() {
        return (long) experts() * in() * out();
    }

    /**
     * One op that uses the weight.
     *
     * @param op name of the op
     * @param input name of the activation [N,in] of a linear layer, [experts,N,in] of experts, of the whole numbers (any shape) of an embedding
     * @param output name of the result: [N,out], [experts,N,out], or the shape of the whole numbers and out
     */
    record Use(String op, String input, String output) {}
}
