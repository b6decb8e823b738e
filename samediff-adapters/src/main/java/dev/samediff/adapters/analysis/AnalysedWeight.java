package dev.samediff.adapters.analysis;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** A weight that was decomposed once, to be compared with what training made of it, step by step. */
public final class AnalysedWeight {
    private final Decompositions linalg;
    private final INDArray before;
    private final Decompositions.Svd old;
    private final double[] values;

    AnalysedWeight(Decompositions linalg, INDArray before) {
        if (before.rank() != 2) {
            throw new InvalidInputException("an array of shape " + Arrays.toString(before.shape())
                    + " has no singular values; expected a matrix");
        }
        this.linalg = linalg;
        this.before = before.castTo(DataType.DOUBLE);
        this.old = linalg.svd(this.before);
        this.values = old.s().toDoubleVector();
    }

    /**
     * What became of a weight.
     *
     * @param all the deviation of all min(m, n) triplets, the paper's measure
     * @param leading the deviation of the leading triplets
     * @param angles the largest angles between the leading subspaces
     * @param after the spectrum of the tuned weight
     */
    public record Change(
            AdapterAnalysis.Deviation all,
            AdapterAnalysis.Deviation leading,
            AdapterAnalysis.SubspaceAngles angles,
            AdapterAnalysis.Spectrum after) {}

    /** Returns the number of triplets, min(m, n). */
    public int triplets() {
        return values.length;
    }

    /** Returns the spectrum of the weight itself. */
    public AdapterAnalysis.Spectrum spectrum() {
        return AdapterAnalysis.Spectrum.of(values);
    }

    /**
     * Compares the weight with a tuned one, in float64; the tuned one is decomposed once.
     *
     * @param after the tuned weight [m,n]; not modified
     * @param rank how many triplets are the leading ones, 1 to min(m, n)
     * @throws InvalidInputException if the shapes differ, the rank does not fit, or a value is not finite
     */
    public Change to(INDArray after, int rank) {
        if (!Arrays.equals(before.shape(), after.shape())) {
            throw new InvalidInputException("weights of the shapes " + Arrays.toString(before.shape()) + " and "
                    + Arrays.toString(after.shape()) + " cannot be compared; expected two matrices of one shape");
        }
        if (rank < 1 || rank > values.length) {
            throw new InvalidInputException("rank " + rank + " does not fit a weight " + Arrays.toString(before.shape())
                    + "; expected 1 to " + values.length);
        }
        INDArray w = after.castTo(DataType.DOUBLE);
        Decompositions.Svd now = linalg.svd(w);
        double[] s = now.s().toDoubleVector();
        double[][] u = old.u().transpose().mmul(now.u()).toDoubleMatrix(); // cosines of all pairs
        double[][] v = old.vt().mmul(now.vt().transpose()).toDoubleMatrix();
        double norm = before.norm2Number().doubleValue();
        double difference = w.sub(before).norm2Number().doubleValue();
        double change = difference == 0 ? 0 : difference / norm;
        INDArray left = columns(old.u(), rank);
        INDArray right = columns(old.vt().transpose(), rank);
        return new Change(
                deviation(s, u, v, values.length, change),
                deviation(s, u, v, rank, change),
                new AdapterAnalysis.SubspaceAngles(
                        largestAngle(left, columns(now.u(), rank)),
                        largestAngle(right, columns(now.vt().transpose(), rank))),
                AdapterAnalysis.Spectrum.of(s));
    }

    private AdapterAnalysis.Deviation deviation(double[] s, double[][] u, double[][] v, int rank, double change) {
        double moved = 0;
        double cosines = 0;
        double overlap = 0;
        for (int i = 0; i < rank; i++) {
            moved += Math.abs(s[i] - values[i]);
            cosines += Math.min(1, Math.abs(u[i][i])) + Math.min(1, Math.abs(v[i][i]));
            for (int j = 0; j < rank; j++) {
                overlap += u[i][j] * u[i][j] + v[i][j] * v[i][j];
            }
        }
        return new AdapterAnalysis.Deviation(
                moved / rank, 1 - cosines / (2 * rank), Math.max(0, 1 - overlap / (2 * rank)), change);
    }

    /** By its sine where it is below 45 degrees and by its cosine above, each exact where the other is not (Bjorck and Golub 1973). */
    private double largestAngle(INDArray a, INDArray b) {
        INDArray cosines = a.transpose().mmul(b);
        double cosine = linalg.svd(cosines).s().minNumber().doubleValue();
        double sine = linalg.svd(b.sub(a.mmul(cosines))).s().maxNumber().doubleValue();
        return Math.toDegrees(cosine * cosine >= 0.5 ? Math.asin(Math.min(1, sine)) : Math.acos(cosine));
    }

    private static INDArray columns(INDArray matrix, int count) {
        return matrix.get(NDArrayIndex.all(), NDArrayIndex.interval(0, count)).dup('c');
    }
}
