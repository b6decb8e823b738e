package dev.samediff.adapters.method;

import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.method.GramErrors.Matrix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Distance of singular vectors from orthonormality. With the Gram errors {@code E_A = A^T A - I} and
 * {@code E_B = B B^T - I} (both r x r) of each layer, A [in,r] and B [r,out], and of each expert of a stack of them:
 *
 * <table>
 * <caption>Definitions in circulation, and their gradients with respect to A</caption>
 * <tr><th>form</th><th>value</th><th>gradient</th></tr>
 * <tr><td>SUMSQ</td><td>sum of {@code ||E||_F^2}</td><td>{@code 4 A E_A}</td></tr>
 * <tr><td>FRO</td><td>sum of {@code ||E||_F}</td><td>{@code 2 A E_A / ||E_A||_F}</td></tr>
 * <tr><td>REPO</td><td>mean of {@code ||E||_F} over all matrices</td><td>that of FRO divided by their number</td></tr>
 * </table>
 *
 * <p>SUMSQ is equation 10 of the SORSA paper. FRO and REPO are not differentiable where E = 0; the gradient there is 0,
 * in the graph too. Close to it their gradient has norm 1 in a direction made of rounding errors, so runs that start from
 * an exact decomposition are not reproducible between BLAS libraries with them; REPO exists to follow the authors' code.
 *
 * @param form the definition
 * @param gamma coefficient times the peak learning rate, see {@link Penalty}
 * @param left short name of the tensor with orthonormal columns [in,r]
 * @param right short name of the tensor with orthonormal rows [r,out]
 */
public record OrthonormalPenalty(Form form, double gamma, String left, String right) implements Penalty {
    /** The definitions of the regulariser. */
    public enum Form {
        /** Sum of squared Frobenius norms: equation 10 of the paper. */
        SUMSQ,
        /** Sum of Frobenius norms. */
        FRO,
        /** Mean of Frobenius norms over all matrices: the authors' code. */
        REPO
    }

    @Override
    public SDVariable inGraph(List<Map<String, SDVariable>> sites, String name) {
        SameDiff graph = LowRank.get(sites.get(0), left).getSameDiff();
        Map<Long, SDVariable> identities = new HashMap<>();
        List<SDVariable> terms = new ArrayList<>();
        for (int i = 0; i < sites.size(); i++) {
            terms.add(term(graph, LowRank.get(sites.get(i), left), true, identities, name, name + "/" + i + "/left"));
            terms.add(
                    term(graph, LowRank.get(sites.get(i), right), false, identities, name, name + "/" + i + "/right"));
        }
        SDVariable sum = terms.get(0);
        for (int i = 1; i < terms.size(); i++) {
            sum = sum.add(name + "/sum" + i, terms.get(i));
        }
        return sum.mul(name, form == Form.REPO ? 1.0 / count(terms(sites, SDVariable::getArr)) : 1.0);
    }

    /** All tensors the penalty depends on, in the order of the layers, each layer's left one first. */
    private <T> List<INDArray> terms(List<Map<String, T>> sites, Function<T, INDArray> values) {
        return sites.stream()
                .flatMap(site -> Stream.of(LowRank.get(site, left), LowRank.get(site, right)))
                .map(values)
                .toList();
    }

    /** The number of matrices; a tensor of experts holds one for each. */
    private static long count(List<INDArray> tensors) {
        return tensors.stream()
                .mapToLong(tensor -> tensor.rank() == 3 ? tensor.size(0) : 1)
                .sum();
    }

    private SDVariable term(
            SameDiff graph,
            SDVariable matrix,
            boolean columns,
            Map<Long, SDVariable> identities,
            String name,
            String prefix) {
        INDArray array = matrix.getArr();
        SDVariable error = error(graph, matrix, columns, identities, name, prefix);
        SDVariable squares = error.mul(prefix + "/squares", error);
        if (form == Form.SUMSQ) {
            return squares.sum(prefix + "/squared_norm");
        }
        boolean stacked = array.rank() == 3;
        int[] ofMatrix = array.size(columns ? -1 : -2) == 1 ? new int[0] : new int[] {1, 2};
        SDVariable squared = !stacked
                ? squares.sum(prefix + "/squared_norm")
                : ofMatrix.length == 0 ? squares : squares.sum(prefix + "/squared_norm", ofMatrix);
        // sqrt(max(q, ZERO)) - sqrt(ZERO): the maximum passes no gradient where q is 0, so that 0 * (1 / 0) never
        // arises.
        SDVariable zero = graph.constant(prefix + "/zero", Nd4j.scalar(array.dataType(), GramErrors.ZERO));
        SDVariable norm = graph.math.sqrt(prefix + "/norm", graph.max(prefix + "/guarded", squared, zero));
        return stacked ? norm.sum(prefix + "/norms") : norm;
    }

    private static SDVariable error(
            SameDiff graph,
            SDVariable matrix,
            boolean columns,
            Map<Long, SDVariable> identities,
            String name,
            String prefix) {
        INDArray array = matrix.getArr();
        int summed = array.rank() - (columns ? 2 : 1);
        long rank = array.size(columns ? -1 : -2);
        if (rank == 1) { // M2.1's matmul_bp is wrong for a result [1,1] with one operand transposed
            return matrix.mul(prefix + "/products", matrix)
                    .sum(prefix + "/gram", summed)
                    .sub(prefix + "/error", 1.0);
        }
        SDVariable identity = identities.computeIfAbsent(
                rank, r -> graph.constant(name + "/identity" + r, Nd4j.eye(r).castTo(array.dataType())));
        return graph.mmul(prefix + "/gram", matrix, matrix, columns, !columns, false)
                .sub(prefix + "/error", identity);
    }

    @Override
    public Value evaluate(List<Map<String, INDArray>> sites) {
        List<INDArray> tensors = terms(sites, Function.identity());
        List<Matrix> matrices = new ArrayList<>();
        for (int i = 0; i < tensors.size(); i++) {
            boolean columns = i % 2 == 0;
            single(tensors.get(i)).forEach(array -> matrices.add(new Matrix(array, columns)));
        }
        try (INDArray total = Nd4j.scalar(DataType.DOUBLE, 0)) {
            Iterator<INDArray> products =
                    products(matrices, matrices.size(), total).iterator();
            Iterator<INDArray> shapes = tensors.iterator();
            List<Map<String, INDArray>> gradients = new ArrayList<>();
            for (int i = 0; i < sites.size(); i++) {
                Map<String, INDArray> gradient = new LinkedHashMap<>();
                gradient.put(left, gradient(shapes.next(), products));
                gradient.put(right, gradient(shapes.next(), products));
                gradients.add(gradient);
            }
            return new Value(total.getDouble(), gradients);
        }
    }

    /** The matrices of a tensor: itself, or one of each expert. */
    private static List<INDArray> single(INDArray tensor) {
        return tensor.rank() == 3
                ? LongStream.range(0, tensor.size(0)).mapToObj(tensor::slice).toList()
                : List.of(tensor);
    }

    /** The gradient of a tensor, of those of its matrices, which come next. */
    private static INDArray gradient(INDArray tensor, Iterator<INDArray> products) {
        if (tensor.rank() != 3) {
            return products.next();
        }
        INDArray gradient = Nd4j.createUninitialized(tensor.dataType(), tensor.shape());
        for (long expert = 0; expert < tensor.size(0); expert++) {
            try (INDArray product = products.next()) {
                gradient.slice(expert).assign(product);
            }
        }
        return gradient;
    }

    /** The mean of the norms; their root mean square where their squares are known only. */
    @Override
    public OptionalDouble deviation(double value, List<Map<String, INDArray>> sites) {
        long matrices = count(terms(sites, Function.identity()));
        return OptionalDouble.of(
                switch (form) {
                    case SUMSQ -> Math.sqrt(value / matrices);
                    case FRO -> value / matrices;
                    case REPO -> value;
                });
    }

    /**
     * 8 of SUMSQ: of orthonormal A and a small D, {@code ||(A + D)^T (A + D) - I||_F^2 = ||A^T D + D^T A||_F^2 <= 4 ||D||_F^2}, which D = A
     * C with a symmetric C reaches. The other forms have a kink there.
     */
    @Override
    public OptionalDouble curvature() {
        return form == Form.SUMSQ ? OptionalDouble.of(8) : OptionalDouble.empty();
    }

    @Override
    public Optional<Term> term(String tensor, INDArray value, int sites) {
        if (!tensor.equals(left) && !tensor.equals(right)) {
            return Optional.empty();
        }
        try (INDArray total = Nd4j.scalar(DataType.DOUBLE, 0)) {
            INDArray gradient = products(List.of(new Matrix(value, tensor.equals(left))), 2 * sites, total)
                    .get(0);
            return Optional.of(new Term(total.getDouble(), gradient));
        }
    }

    /** Returns the gradients of the matrices' terms, some of {@code all}, in their order, and adds the terms to a sum. */
    private List<INDArray> products(List<Matrix> matrices, int all, INDArray total) {
        Map<List<Object>, List<Integer>> alike = new LinkedHashMap<>();
        for (int i = 0; i < matrices.size(); i++) {
            Matrix matrix = matrices.get(i);
            alike.computeIfAbsent(List.of(matrix.rank(), matrix.array().dataType()), key -> new ArrayList<>())
                    .add(i);
        }
        INDArray[] products = new INDArray[matrices.size()];
        for (List<Integer> group : alike.values()) {
            try (GramErrors errors =
                    new GramErrors(group.stream().map(matrices::get).toList())) {
                errors.weigh(form, form == Form.REPO ? 1.0 / all : 1, total);
                Iterator<INDArray> next = errors.products().iterator();
                group.forEach(index -> products[index] = next.next());
            }
        }
        return List.of(products);
    }
}
