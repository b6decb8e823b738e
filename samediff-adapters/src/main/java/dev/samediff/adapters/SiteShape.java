package dev.samediff.adapters;

/**
 * One layer as an adapter method sees it: {@code y [N,out] = x [N,in] W [in,out]}, whatever way the weight is stored. Of an
 * embedding, x is onehot(ids) and in the size of the vocabulary.
 *
 * @param module module path, such as {@code transformer.h.0.attn.c_attn}
 * @param in input features
 * @param out output features
 * @param rank rank of this layer's adapter, at most {@code min(in, out)}
 * @param scaling factor s of the branch: alpha / r, or alpha / sqrt(r) with rank-stabilised scaling
 * @param kind what the layer does with its weight
 */
public record SiteShape(String module, int in, int out, int rank, double scaling, SiteKind kind) {
    public SiteShape {
        if (rank < 1 || rank > Math.min(in, out)) {
            throw new InvalidInputException(
                    "rank " + rank + " does not fit the layer `" + module + "` [" + in + "," + out
                            + "]: it must lie between 1 and " + Math.min(in, out)
                            + "; give a smaller rank or a rank pattern for"
                            + " this layer");
        }
        if (!(scaling > 0) || Double.isInfinite(scaling)) {
            throw new InvalidInputException("scaling " + scaling + " of the layer `" + module
                    + "` is not a positive number; give a positive alpha");
        }
    }

    /** Returns one expert of a stack, which is a linear layer. */
    public SiteShape ofExpert(int expert) {
        return new SiteShape(module + "." + expert, in, out, rank, scaling);
    }

    /** Describes a linear layer. */
    public SiteShape(String module, int in, int out, int rank, double scaling) {
        this(module, in, out, rank, scaling, SiteKind.LINEAR);
    }
}
