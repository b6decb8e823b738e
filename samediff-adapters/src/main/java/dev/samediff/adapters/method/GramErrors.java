package dev.samediff.adapters.method;

import dev.samediff.adapters.method.OrthonormalPenalty.Form;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.floating.Sqrt;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The terms of {@link OrthonormalPenalty} of n matrices of one rank r and type, with their gradients. The Gram errors
 * [n,r,r] are computed in float64 and weighed together. Nothing is read by the host, and no garbage is left outside the
 * heap: this runs for every adapter in every step, on a device too.
 */
final class GramErrors implements AutoCloseable {
    /** Squared norms below this count as exactly zero: below the square of float32's smallest Gram error. */
    static final double ZERO = 1e-20;

    private final List<Matrix> matrices;
    private final long rank;
    private final INDArray errors;

    /**
     * A matrix that should have orthonormal columns or rows.
     *
     * @param array the matrix
     * @param columns whether its columns should be orthonormal; otherwise its rows
     */
    record Matrix(INDArray array, boolean columns) {
        long rank() {
            return columns ? array.columns() : array.rows();
        }
    }

    /** Computes the errors of matrices of one rank and type; at least one. */
    GramErrors(List<Matrix> matrices) {
        this.matrices = matrices;
        this.rank = matrices.get(0).rank();
        this.errors = Nd4j.createUninitialized(DataType.DOUBLE, matrices.size(), rank, rank);
        long longest =
                matrices.stream().mapToLong(each -> each.array().length()).max().orElseThrow();
        Map<List<Long>, INDArray> views = new HashMap<>(); // few shapes: a view is garbage outside the heap, too
        try (INDArray work = Nd4j.createUninitialized(DataType.DOUBLE, longest)) {
            for (int i = 0; i < matrices.size(); i++) {
                boolean columns = matrices.get(i).columns();
                INDArray m = doubles(matrices.get(i).array(), work, views);
                Nd4j.matmul(m, m, errors.slice(i), columns, !columns, false);
            }
        }
        try (INDArray identity = Nd4j.eye(rank)) {
            errors.subi(identity.reshape(1, rank, rank));
        }
    }

    /** Returns a matrix in float64, in the same memory for every matrix: fresh pages cost more than the product. */
    private static INDArray doubles(INDArray array, INDArray work, Map<List<Long>, INDArray> views) {
        if (array.dataType() == DataType.DOUBLE) {
            return array;
        }
        return views.computeIfAbsent(
                        List.of(array.size(0), array.size(1)),
                        shape -> work.get(NDArrayIndex.interval(0, array.length()))
                                .reshape('c', array.shape()))
                .assign(array);
    }

    /**
     * Makes the errors what the matrices are multiplied by for the gradients of their terms.
     *
     * @param form the definition of a term
     * @param weight how often a term counts
     * @param total the terms are added to it
     */
    void weigh(Form form, double weight, INDArray total) {
        try (INDArray squares = errors.mul(errors);
                INDArray norms = squares.sum(1, 2)) {
            if (form == Form.SUMSQ) {
                errors.muli(4 * weight);
            } else {
                normalise(norms, weight);
            }
            norms.muli(weight);
            try (INDArray sum = norms.sum()) {
                total.addi(sum);
            }
        }
    }

    /** Takes the roots of squared norms, and divides the errors by them; 0 where they count as 0. */
    private void normalise(INDArray norms, double weight) {
        try (INDArray flags = norms.gt(ZERO);
                INDArray factors = flags.castTo(DataType.DOUBLE)) {
            Nd4j.exec(new Sqrt(norms, norms));
            norms.muli(factors);
            try (INDArray divisors = Transforms.max(norms, Math.sqrt(ZERO))) {
                factors.divi(divisors).muli(2 * weight);
            }
            errors.muli(factors.reshape(norms.length(), 1, 1));
        }
    }

    /** Returns every matrix times its error, of the type and shape of the matrix. */
    List<INDArray> products() {
        DataType type = matrices.get(0).array().dataType();
        INDArray factors = errors.castTo(type);
        List<INDArray> products = new ArrayList<>();
        for (int i = 0; i < matrices.size(); i++) {
            INDArray array = matrices.get(i).array();
            INDArray factor = factors.slice(i);
            INDArray product = Nd4j.createUninitialized(type, array.shape());
            boolean columns = matrices.get(i).columns();
            products.add(Nd4j.matmul(columns ? array : factor, columns ? factor : array, product));
        }
        if (factors != errors) {
            factors.close();
        }
        return products;
    }

    @Override
    public void close() {
        errors.close();
    }
}
