package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;

/** Matrix products. SameDiff's mmul wants operands of equal rank, and a transposed matrix is a flag, not a copy. */
final class MatMuls {
    private MatMuls() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("MatMul", MatMuls::matMul);
        operators.put("Gemm", MatMuls::gemm);
    }

    private static List<Value> matMul(NodeCall call) {
        Value a = call.in(0);
        Value b = call.in(1);
        if (a.rank() == 1 || b.rank() == 1) {
            return withVector(call, a, b);
        }
        return List.of(product(call, a, b));
    }

    private static List<Value> withVector(NodeCall call, Value a, Value b) {
        Value left = a.rank() == 1 ? call.builder().reshape(a, List.of(Dim.ONE, a.dim(0))) : a;
        Value right = b.rank() == 1 ? call.builder().reshape(b, List.of(b.dim(0), Dim.ONE)) : b;
        Value product = product(call, left, right);
        List<Dim> dims = new ArrayList<>(product.dims());
        if (b.rank() == 1) {
            dims.remove(dims.size() - 1);
        }
        if (a.rank() == 1) {
            dims.remove(dims.size() - (b.rank() == 1 ? 1 : 2));
        }
        return List.of(call.builder().reshape(product, dims));
    }

    private static void requireMatching(NodeCall call, Dim columns, Dim rows) {
        if (columns.isKnown() && rows.isKnown() && !columns.equals(rows)) {
            throw call.invalid("multiplies rows of " + columns + " elements by columns of " + rows);
        }
    }

    private static Value product(NodeCall call, Value a, Value b) {
        requireMatching(call, a.dim(a.rank() - 1), b.dim(b.rank() - 2));
        if (!a.type().isFPType()) {
            return ofWholeNumbers(call, a, b);
        }
        if (a.stored() != null && a.rank() == 2 && b.stored() == null) {
            return fromLeft(call, a, b);
        }
        if (b.rank() == 2) {
            return byMatrix(call, a, b);
        }
        List<Dim> batch = Broadcast.dims(call, batch(a), batch(b));
        if (Experts.fits(a, b)) {
            return Experts.matMul(call, a, b);
        }
        Value left = Expanding.expand(call, a, with(batch, a));
        Value right = Expanding.expand(call, b, with(batch, b));
        List<Dim> dims = new ArrayList<>(batch);
        dims.add(a.dim(a.rank() - 2));
        dims.add(b.dim(b.rank() - 1));
        return Value.computed(call.graph().mmul(left.variable(), right.variable()), a.type(), dims);
    }

    /** Of whole numbers as products and sums, [..., m, k, 1] by [..., 1, k, n]: SameDiff's mmul refuses them. */
    private static Value ofWholeNumbers(NodeCall call, Value a, Value b) {
        Value rows = call.emit("Unsqueeze", a, call.vector(-1));
        Value columns = call.emit("Unsqueeze", b, call.vector(-3));
        return call.emit("ReduceSum", Map.of("keepdims", 0), call.emit("Mul", rows, columns), call.vector(-2));
    }

    /** {@code W x = (x' W')'}: a linear layer whose weight is stored [out,in]. */
    private static Value fromLeft(NodeCall call, Value weight, Value x) {
        int[] order = IntStream.range(0, x.rank()).toArray();
        order[x.rank() - 1] = x.rank() - 2;
        order[x.rank() - 2] = x.rank() - 1;
        Value turned = Shapes.permuted(call, x, order);
        Value rows = call.builder().matrix(turned);
        SDVariable product = times(call, rows, weight, true);
        List<Dim> dims = new ArrayList<>(turned.dims().subList(0, x.rank() - 1));
        dims.add(weight.dim(0));
        Value result =
                call.builder().reshape(Value.computed(product, x.type(), List.of(rows.dim(0), weight.dim(0))), dims);
        return Shapes.permuted(call, result, order);
    }

    private static List<Dim> batch(Value x) {
        return x.dims().subList(0, x.rank() - 2);
    }

    private static List<Dim> with(List<Dim> batch, Value x) {
        List<Dim> dims = new ArrayList<>(batch);
        dims.addAll(x.dims().subList(x.rank() - 2, x.rank()));
        return dims;
    }

    /** A linear layer: all positions of all sequences as one matrix [N,in] times [in,out]. */
    private static Value byMatrix(NodeCall call, Value a, Value b) {
        Value rows = call.builder().matrix(a);
        Value product = Value.computed(times(call, rows, b, false), a.type(), List.of(rows.dim(0), b.dim(1)));
        List<Dim> dims = new ArrayList<>(a.dims().subList(0, a.rank() - 1));
        dims.add(b.dim(1));
        return call.builder().reshape(product, dims);
    }

    /** {@code a b} or {@code a b^T}; a stored matrix is used the way it is stored. */
    static SDVariable times(NodeCall call, Value a, Value b, boolean transpose) {
        Value plain = b.stored() == null ? null : b.stored().untransposed();
        if (plain != null) {
            return times(call, a, plain, !transpose);
        }
        return transpose
                ? call.graph().mmul(a.variable(), b.variable(), false, true, false)
                : call.graph().mmul(a.variable(), b.variable());
    }

    private static List<Value> gemm(NodeCall call) {
        Value a = call.in(0);
        Value b = call.in(1);
        boolean transposeA = call.node().integer("transA", 0) == 1;
        boolean transposeB = call.node().integer("transB", 0) == 1;
        if (!a.type().isFPType()) {
            throw call.refused(
                    "multiplies whole numbers with factors; only MatMul and Add of them can be imported",
                    "use those, or cast to real numbers first");
        }
        if (a.rank() != 2 || b.rank() != 2) {
            throw call.invalid("multiplies tensors of " + a.rank() + " and " + b.rank() + " axes; Gemm takes matrices");
        }
        Value left = transposeA ? Shapes.permuted(call, a, 1, 0) : a;
        List<Dim> dims = List.of(left.dim(0), b.dim(transposeB ? 0 : 1));
        requireMatching(call, left.dim(1), b.dim(transposeB ? 1 : 0));
        SDVariable product =
                scaled(times(call, left, b, transposeB), call.node().real("alpha", 1));
        if (call.optional(2).isEmpty() || call.node().real("beta", 1) == 0) {
            return call.result(product, a.type(), dims);
        }
        SDVariable sum = product.add(scaled(call.in(2).variable(), call.node().real("beta", 1)));
        return call.result(sum, a.type(), dims);
    }

    private static SDVariable scaled(SDVariable x, float factor) {
        return factor == 1 ? x : x.mul(factor);
    }
}
