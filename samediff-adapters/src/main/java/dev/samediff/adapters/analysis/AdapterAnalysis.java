package dev.samediff.adapters.analysis;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

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
    public record Spectrum(double largest, double smallest, double condition, double effectiveRank, double stableRank) {
        /**
         * Describes singular values.
         *
         * @param s the values, descending
         */
        static Spectrum of(double[] s) {
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

    /**
     * The largest principal angles between the leading subspaces before and after, in degrees (Bjorck and Golub 1973).
     *
     * @param left between the spans of the leading left vectors, 0 to 90
     * @param right between those of the right ones
     */
    public record SubspaceAngles(double left, double right) {}

    /**
     * The two factors that an adapter trains, U [m,r] and V [n,r], and the part of the weight {@code U diag(s) V^T} they stand for;
     * of a LoRA its A, the transpose of its B, and its change.
     *
     * @param orthonormalityOfU {@code ||U^T U - I||_F}, 0 for orthonormal columns
     * @param orthonormalityOfV {@code ||V^T V - I||_F}
     * @param conditionOfU largest by smallest singular value of U, 1 for orthonormal columns; NaN if U is zero
     * @param conditionOfV the same of V
     * @param conditionOfPart largest by r-th singular value of the part (SORSA paper, theorem 5); infinite if its rank is below r, NaN
     *     if it is zero, as the change of a LoRA is before training
     */
    public record Factors(
            double orthonormalityOfU,
            double orthonormalityOfV,
            double conditionOfU,
            double conditionOfV,
            double conditionOfPart) {
        /** Returns the mean of the two errors of orthonormality. */
        public double orthonormality() {
            return (orthonormalityOfU + orthonormalityOfV) / 2;
        }
    }

    /** Decomposes a weight [m,n] once, to be compared with several tuned ones; it is not modified. */
    public AnalysedWeight of(INDArray before) {
        return new AnalysedWeight(linalg, before);
    }

    /** Compares all min(m, n) triplets, as the paper does. */
    public Deviation deviation(INDArray before, INDArray after) {
        return deviation(before, after, Math.toIntExact(Math.min(before.size(0), before.size(-1))));
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
        return of(before).to(after, rank).leading();
    }

    /**
     * Describes the singular values of a weight, computed in float64.
     *
     * @throws InvalidInputException if a value is not finite
     */
    public Spectrum spectrum(INDArray weight) {
        return of(weight).spectrum();
    }

    /**
     * Describes the factors that an adapter trains on a layer, in float64.
     *
     * @param method the adapter's method
     * @param tensors the layer's tensors by short name; of experts those of one of them
     * @return nothing if the method has no two factors ((IA)^3)
     */
    public Optional<Factors> factors(AdapterMethod method, Map<String, INDArray> tensors) {
        if (!method.isLowRank()) {
            return Optional.empty();
        }
        Map<String, INDArray> doubles = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> doubles.put(name, tensor.castTo(DataType.DOUBLE)));
        Optional<INDArray> u = endingWith("_A", doubles);
        Optional<INDArray> v = endingWith("_B", doubles).map(INDArray::transpose);
        if (u.isEmpty() || v.isEmpty()) {
            return Optional.empty();
        }
        Map<String, INDArray> product = method.asLora(doubles);
        return Optional.of(new Factors(
                orthonormality(u.get()),
                orthonormality(v.get()),
                condition(u.get()),
                condition(v.get()),
                conditionOfProduct(
                        Objects.requireNonNull(product.get("lora_A")), Objects.requireNonNull(product.get("lora_B")))));
    }

    private static Optional<INDArray> endingWith(String end, Map<String, INDArray> tensors) {
        return tensors.entrySet().stream()
                .filter(tensor -> tensor.getKey().endsWith(end))
                .map(Map.Entry::getValue)
                .findFirst();
    }

    private static double orthonormality(INDArray factor) {
        return factor.transpose()
                .mmul(factor)
                .subi(Nd4j.eye(factor.columns()).castTo(DataType.DOUBLE))
                .norm2Number()
                .doubleValue();
    }

    private double condition(INDArray matrix) {
        double[] s = linalg.svd(matrix).s().toDoubleVector();
        return s[0] == 0 ? Double.NaN : s[0] / s[s.length - 1];
    }

    /** A B has the singular values of the small product of the triangles of A and of B's transpose. */
    private double conditionOfProduct(INDArray a, INDArray b) {
        if (a.amaxNumber().doubleValue() == 0 || b.amaxNumber().doubleValue() == 0) {
            return Double.NaN;
        }
        INDArray left = linalg.qr(a).r();
        INDArray right = linalg.qr(b.transpose()).r();
        return condition(left.mmul(right.transpose()));
    }
}
