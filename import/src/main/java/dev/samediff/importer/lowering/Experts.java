package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.EinsumStack;
import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Products of activations with a stored matrix for each of several experts, as one product of [experts,N,in] with
 * [experts,in,out], or with the transpose of [experts,out,in]; the weight is used the way it is stored, so that adapters can go on it.
 */
final class Experts {
    private Experts() {}

    /** Tells whether a value is a stored tensor with a matrix for each expert. */
    static boolean isStack(Value weight) {
        return weight.stored() != null && weight.rank() == 3 && !weight.dim(0).is(1);
    }

    /** MatMul of [..., experts or 1, T, in], or of [T, in], by [experts, in, out]. Nothing of a stack is known to be one of them. */
    static boolean fits(Value x, Value weight) {
        return isStack(weight)
                && x.stored() == null
                && (x.rank() == 2
                        || x.dim(x.rank() - 3).is(1)
                        || x.dim(x.rank() - 3).equals(weight.dim(0)));
    }

    static Value matMul(NodeCall call, Value x, Value weight) {
        List<Dim> dims = new ArrayList<>(x.dims());
        if (x.rank() == 2) {
            dims.add(0, Dim.ONE);
        }
        Value full = call.builder().reshape(x, dims);
        int axis = full.rank() - 3;
        int[] forth = IntStream.range(0, full.rank())
                .map(i -> i == 0 ? axis : i <= axis ? i - 1 : i)
                .toArray();
        Value product = product(call, Shapes.permuted(call, full, forth), weight, false);
        int[] back = IntStream.range(0, full.rank())
                .map(i -> i < axis ? i + 1 : i == axis ? 0 : i)
                .toArray();
        return Shapes.permuted(call, product, back);
    }

    /**
     * An Einstein sum.
     *
     * @param sum what its letters mean
     * @param x the activation, with those axes
     * @param weight the stored tensor
     */
    static Value einsum(NodeCall call, EinsumStack sum, Value x, Value weight) {
        String letters = sum.isOfEach() ? sum.x() : sum.expert() + sum.x();
        List<Dim> dims = new ArrayList<>(x.dims());
        if (!sum.isOfEach()) {
            dims.add(0, Dim.ONE);
        }
        Value full = call.builder().reshape(x, dims);
        String sorted = sum.kept() + sum.in();
        Value product = product(call, Shapes.permuted(call, full, order(letters, sorted)), weight, sum.outFirst());
        return Shapes.permuted(call, product, order(sum.kept() + sum.out(), sum.result()));
    }

    private static int[] order(String from, String to) {
        return to.chars().map(from::indexOf).toArray();
    }

    /** Of [experts or 1, ..., in]: [experts, ..., out]. */
    private static Value product(NodeCall call, Value x, Value weight, boolean transposed) {
        Dim experts = weight.dim(0);
        Dim in = x.dim(x.rank() - 1);
        Dim out = weight.dim(transposed ? 1 : 2);
        List<Dim> between = x.dims().subList(1, x.rank() - 1);
        Dim rows = between.stream().reduce(Dim.ONE, Dim::times);
        Value matrices = call.builder().reshape(x, List.of(x.dim(0), rows, in));
        Value each = Expanding.expand(call, matrices, List.of(experts, rows, in));
        List<Dim> dims = new ArrayList<>(List.of(experts));
        dims.addAll(between);
        dims.add(out);
        return call.builder()
                .reshape(
                        Value.computed(
                                MatMuls.times(call, each, weight, transposed), x.type(), List.of(experts, rows, out)),
                        dims);
    }
}
