package dev.samediff.adapters.analysis;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Compares the singular values and vectors of a weight before and after tuning, after section 3 of the SORSA paper (Cao
 * and Song 2024). With {@code W0 = U0 diag(s0) V0^T}, {@code W = U diag(s) V^T} and k = min(m, n):
 *
 * <pre>
 * delta Sigma = 1/k sum_i |s_i - s0_i|                                       (equation 1)
 * delta D     = 1 - 1/(2k) sum_i ( |u_i . u0_i| + |v_i . v0_i| )             (equations 2 to 4)
 * </pre>
 *
 * <p>The sums are over all k triplets unless a rank is given. The paper's printed equations were not at hand: this is its
 * wording (mean absolute change of the singular values; mean cosine of the i-th left and right vectors). The vectors of
 * equal or nearly equal singular values are only defined up to a rotation, and values that cross change their number i, so
 * delta D is large for a tiny change of a weight with a flat spectrum. {@link Deviation#subspace} does not have that
 * weakness towards rotations inside the leading subspace.
 */
public final class AdapterAnalysis {
    private final Decompositions linalg;

    /** Creates an analysis that decomposes by the given routines. */
    public AdapterAnalysis(Decompositions linalg) {
        this.linalg = linalg;
    }

    /**
     * How far a weight moved.
     *
     * @param singularValues delta Sigma, in the weight's units; 0 if nothing changed
     * @param singularVectors delta D, between 0 (same directions) and 1 (all orthogonal)
     * @param subspace {@code 1 - (||U0^T U||_F^2 + ||V0^T V||_F^2) / (2 rank)} of the leading subspaces, between 0 and 1; 0
     *     if all triplets of a square weight are compared
     * @param relativeChange {@code ||W - W0||_F / ||W0||_F}
     */
    public record Deviation(double singularValues, double singularVectors, double subspace, double relativeChange) {}

    /**
     * The spectrum of one weight.
     *
     * @param largest the largest singular value (spectral norm)
     * @param smallest the smallest one
     * @param condition largest / smallest; infinite for a singular matrix
     * @param effectiveRank {@code exp(entropy of s / sum(s))} (Roy and Vetterli 2007), between 1 and min(m, n); 0 for zeros
     * @param stableRank {@code ||W||_F^2 / ||W||_2^2}; 0 for zeros
     */
    public record Spectrum(
            double largest, double smallest, double condition, double effectiveRank, double stableRank) {}

    /** Compares all min(m, n) triplets, as the paper does. */
    public Deviation deviation(INDArray before, INDArray after) {
        return deviation(before, after, (int) Math.min(before.rows(), before.columns()));
    }

    /**
     * Compares the leading triplets of two weights, in float64.
     *
     * @param before the base weight [m,n]; not modified
     * @param after the tuned (merged) weight [m,n]; not modified
     * @param rank how many triplets to compare, at most min(m, n)
     * @throws InvalidInputException if the shapes differ, the rank does not fit, or a value is not finite
     */
    public Deviation deviation(INDArray before, INDArray after, int rank) {
        if (before.rank() != 2 || !Arrays.equals(before.shape(), after.shape())) {
            throw new InvalidInputException("weights of the shapes " + Arrays.toString(before.shape()) + " and "
                    + Arrays.toString(after.shape()) + " cannot be compared; expected two matrices of one shape");
        }
        if (rank < 1 || rank > Math.min(before.rows(), before.columns())) {
            throw new InvalidInputException("rank " + rank + " does not fit a weight "
                    + Arrays.toString(before.shape()) + "; expected 1 to "
                    + Math.min(before.rows(), before.columns()));
        }
        INDArray w0 = before.castTo(DataType.DOUBLE);
        INDArray w = after.castTo(DataType.DOUBLE);
        Decompositions.Svd old = linalg.svd(w0);
        Decompositions.Svd now = linalg.svd(w);
        double[] s0 = old.s().toDoubleVector();
        double[] s = now.s().toDoubleVector();
        double[][] u = old.u().transpose().mmul(now.u()).toDoubleMatrix(); // cosines of all pairs
        double[][] v = old.vt().mmul(now.vt().transpose()).toDoubleMatrix();
        double values = 0;
        double cosines = 0;
        double overlap = 0;
        for (int i = 0; i < rank; i++) {
            values += Math.abs(s[i] - s0[i]);
            cosines += Math.min(1, Math.abs(u[i][i])) + Math.min(1, Math.abs(v[i][i]));
            for (int j = 0; j < rank; j++) {
                overlap += u[i][j] * u[i][j] + v[i][j] * v[i][j];
            }
        }
        double norm = w0.norm2Number().doubleValue();
        double change = w.sub(w0).norm2Number().doubleValue();
        return new Deviation(
                values / rank,
                1 - cosines / (2 * rank),
                Math.max(0, 1 - overlap / (2 * rank)),
                change == 0 ? 0 : change / norm);
    }

    /**
     * Describes the singular values of a weight, computed in float64.
     *
     * @throws InvalidInputException if a value is not finite
     */
    public Spectrum spectrum(INDArray weight) {
        double[] s = linalg.svd(weight.castTo(DataType.DOUBLE)).s().toDoubleVector();
        double largest = s[0];
        double smallest = s[s.length - 1];
        if (largest == 0) {
            return new Spectrum(0, 0, Double.POSITIVE_INFINITY, 0, 0);
        }
        double sum = Arrays.stream(s).sum();
        double entropy = 0;
        double squares = 0;
        for (double value : s) {
            double p = value / sum;
            entropy -= p > 0 ? p * Math.log(p) : 0;
            squares += (value / largest) * (value / largest);
        }
        return new Spectrum(largest, smallest, largest / smallest, Math.exp(entropy), squares);
    }
}
