package dev.samediff.adapters;

/** What a layer does with its weight {@code W [in,out]}. */
public enum SiteKind {
    /** Multiplies activations by it: {@code y = x W}. */
    LINEAR,
    /** Looks its rows up by whole numbers: {@code y = W[ids]}, which is {@code onehot(ids) W}. */
    EMBEDDING,
    /** Multiplies the activations of each of several experts by a matrix of its own: {@code y[e] = x[e] W[e]}. */
    EXPERTS
}
