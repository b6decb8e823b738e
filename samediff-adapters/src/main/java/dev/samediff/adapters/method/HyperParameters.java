package dev.samediff.adapters.method;

import dev.samediff.adapters.InvalidInputException;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/** Checks and formulas that all methods share. */
final class HyperParameters {
    private HyperParameters() {}

    static void check(String method, int rank, OptionalDouble alpha) {
        if (rank < 1) {
            throw new InvalidInputException("rank " + rank + " of " + method + " is not positive; 4 to 64 are usual");
        }
        if (alpha.isPresent() && (!(alpha.getAsDouble() > 0) || Double.isInfinite(alpha.getAsDouble()))) {
            throw new InvalidInputException("alpha " + alpha.getAsDouble() + " of " + method
                    + " is not a positive number; leave it out for alpha = rank");
        }
    }

    static void checkIterations(String method, OptionalInt iterations) {
        if (iterations.isPresent() && iterations.getAsInt() < 1) {
            throw new InvalidInputException("niter " + iterations.getAsInt() + " of " + method
                    + " is not positive; use 4 to 16 power iterations, or leave it out for the exact decomposition");
        }
    }

    /** alpha / r, or alpha / sqrt(r) with rank-stabilised scaling (rsLoRA, Kalajdzievski 2023). */
    static double scaling(int rank, double alpha, boolean rankStabilized) {
        return rankStabilized ? alpha / Math.sqrt(rank) : alpha / rank;
    }
}
