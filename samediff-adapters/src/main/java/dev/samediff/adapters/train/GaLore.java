package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;

/**
 * GaLore (Zhao et al. 2024, arXiv 2403.03507, algorithm 2): AdamW's moments are those of a projection of the gradient. For a weight
 * W [m,n] with gradient G, every {@code interval} updates from the first
 *
 * <pre>
 * G = U S V^T;   Q = V[:, :r] if m >= n, else U[:, :r]
 * </pre>
 *
 * <p>and in every update
 *
 * <pre>
 * R = G Q [m,r]  or  Q^T G [r,n]
 * N = the step of AdamW for R: mhat / (sqrt(vhat) + eps)
 * W = W (1 - lr wd) - lr scale (N Q^T  or  Q N)
 * </pre>
 *
 * <p>Moments take {@code r max(m,n)} numbers each and Q {@code r min(m,n)}, in place of {@code 2 m n}. They stay as they are when Q changes,
 * as in the authors' code. The sign of a singular vector is arbitrary, so each new one takes the sign that agrees with the
 * vector that it replaces (the authors leave it to LAPACK); of the first ones, the entry of the largest size is positive. Tensors that are
 * no matrices, and matrices of which one side is at most r, are updated by plain AdamW. Decompositions are exact up to a shorter
 * side of 1024, and randomised above it.
 *
 * @param rank r
 * @param interval updates for which a projection is kept, 200 in the paper
 * @param scale alpha of the paper, 0.25 there
 */
public record GaLore(int rank, int interval, double scale) implements Subspace {
    private static final int INTERVAL = 200;
    private static final double SCALE = 0.25;

    public GaLore {
        if (rank < 1 || interval < 1 || !(scale > 0) || Double.isInfinite(scale)) {
            throw new InvalidInputException("GaLore of rank " + rank + ", a new projection every " + interval
                    + " updates and scale " + scale
                    + " is not possible; give a rank and an interval of 1 or more, and a"
                    + " scale above 0");
        }
    }

    /** Returns GaLore of a rank, with the paper's interval and scale. */
    public static GaLore rank(int rank) {
        return new GaLore(rank, INTERVAL, SCALE);
    }

    /** Returns this with projections that are kept for so many updates. */
    public GaLore withInterval(int updates) {
        return new GaLore(rank, updates, scale);
    }

    /** Returns this with another scale. */
    public GaLore withScale(double factor) {
        return new GaLore(rank, interval, factor);
    }
}
