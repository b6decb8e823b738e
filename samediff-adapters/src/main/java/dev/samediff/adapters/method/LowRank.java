package dev.samediff.adapters.method;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The branch that LoRA, OLoRA and PiSSA share: {@code y = base + ((x A) s) B} with A [in,r] and B [r,out]. */
final class LowRank {
    static final String A = "lora_A";
    static final String B = "lora_B";

    private LowRank() {}

    static Map<String, INDArray> factors(INDArray a, INDArray b) {
        Map<String, INDArray> factors = new LinkedHashMap<>();
        factors.put(A, a);
        factors.put(B, b);
        return factors;
    }

    /** Two rank-r products; the dense product A B is never formed. */
    static SDVariable adapt(LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String prefix) {
        SameDiff graph = use.input().graph();
        SDVariable down = use.input().times(prefix + "down", get(trainables, A));
        SDVariable scaled = down.mul(prefix + "scaled", scaling);
        SDVariable up = graph.mmul(prefix + "up", scaled, get(trainables, B));
        return use.base().add(prefix + "sum", up);
    }

    static INDArray delta(Map<String, INDArray> trainables, double scaling) {
        return product(doubles(get(trainables, A)), doubles(get(trainables, B))).muli(scaling);
    }

    /** a b, without the copy of the result that {@code mmul} leaves to the garbage collector. */
    static INDArray product(INDArray a, INDArray b) {
        INDArray result = Nd4j.createUninitialized(a.dataType(), a.rows(), b.columns());
        return Nd4j.matmul(a, b, result);
    }

    /** {@code dL/dA = s G B^T}, {@code dL/dB = s A^T G} with G = dL/d(delta). */
    static Map<String, INDArray> deltaGradients(Map<String, INDArray> trainables, double scaling, INDArray ofDelta) {
        return factors(
                ofDelta.mmul(get(trainables, B).transpose()).muli(scaling),
                get(trainables, A).transpose().mmul(ofDelta).muli(scaling));
    }

    /** Exact, or randomised with {@code iterations} power iterations. */
    static Decompositions.Svd svd(
            INDArray weight, SiteShape site, Decompositions linalg, OptionalInt iterations, long seed) {
        return iterations.isPresent()
                ? linalg.randomizedSvd(weight, site.rank(), iterations.getAsInt(), seed)
                : linalg.svd(weight, site.rank());
    }

    static INDArray firstColumns(INDArray matrix, int count) {
        return matrix.get(NDArrayIndex.all(), NDArrayIndex.interval(0, count)).dup('c');
    }

    static INDArray firstRows(INDArray matrix, int count) {
        return matrix.get(NDArrayIndex.interval(0, count), NDArrayIndex.all()).dup('c');
    }

    static INDArray doubles(INDArray array) {
        return array.castTo(DataType.DOUBLE);
    }

    static <T> T get(Map<String, T> trainables, String name) {
        T value = trainables.get(name);
        if (value == null) {
            throw new InvalidInputException(
                    "the adapter tensor `" + name + "` is missing; there are " + trainables.keySet());
        }
        return value;
    }
}
