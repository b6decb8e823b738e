package dev.samediff.adapters.linalg;

/**
 * How the share of a matrix that lies in a subspace grows with subspace iteration. Each half iteration captures more of the
 * matrix's squares; the gains shrink like a geometric series towards the end, whose rest is what is still missing.
 */
final class Convergence {
    /** Near the limit gains are rounding, and their ratio is any number: more than nine further gains nobody has seen. */
    private static final double MOST = 0.9;

    private double last = Double.NaN;
    private double gain = Double.NaN;
    private double ratio = Double.NaN;

    /** Adds the squares that the next half iteration captured. */
    void add(double captured) {
        double next = captured - last;
        ratio = next / gain;
        gain = next;
        last = captured;
    }

    /**
     * Returns how much longer the rest of the matrix is than it has to be, as a share; not a number before there were three half
     * iterations.
     *
     * @param all the matrix's squares
     * @param kept the squares of the singular values that are kept
     */
    double excess(double all, double kept) {
        double rest = Math.max(0, all - kept);
        double missing = missing();
        if (rest == 0 || missing <= 0) {
            return 0;
        }
        return missing >= rest ? Double.POSITIVE_INFINITY : Math.sqrt(rest / (rest - missing)) - 1;
    }

    private double missing() {
        if (gain <= 0) { // rounding
            return 0;
        }
        double shrinks = Math.min(ratio, MOST);
        return gain * shrinks / (1 - shrinks);
    }
}
