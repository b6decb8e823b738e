package dev.samediff.adapters.engine.oracle;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.graph.Dropout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

/** Every operation of a program in loops. */
public final class OpMath {
    private OpMath() {}

    /** Computes the outputs of a node from its inputs, all in row-major order. */
    static List<Values> apply(Node node, List<Values> in) {
        Op op = node.op();
        Tensor out = node.output();
        long[] shape = out.shape();
        if (op instanceof Op.Nd4j call) {
            return Nd4jMath.apply(node, call, in);
        }
        if (op instanceof Op.Unary unary) {
            return List.of(Values.of(
                    shape,
                    i -> ScalarMath.unary(
                            unary.kind(), unary.alpha(), unary.beta(), in.get(0).data()[i])));
        }
        if (op instanceof Op.UnaryGrad unary) {
            return List.of(Values.of(
                    shape,
                    i -> in.get(0).data()[i]
                            * ScalarMath.slope(
                                    unary.kind(),
                                    unary.alpha(),
                                    unary.beta(),
                                    in.get(1).data()[i])));
        }
        if (op instanceof Op.Binary binary) {
            return List.of(Values.of(shape, i -> {
                long[] index = Values.index(shape, i);
                return ScalarMath.binary(
                        binary.kind(), in.get(0).broadcast(index), in.get(1).broadcast(index));
            }));
        }
        if (op instanceof Op.Dropout dropout) {
            long key = (long) in.get(1).data()[0];
            long kept = (long) in.get(1).data()[1];
            return List.of(Values.of(
                    shape,
                    i -> Dropout.keeps(key, dropout.site(), kept, i)
                            ? in.get(0).data()[i] * (4294967296.0 / kept)
                            : 0));
        }
        if (op instanceof Op.Reduce reduce) {
            return List.of(reduce(reduce.kind(), in.get(0), shape));
        }
        if (op instanceof Op.MatMul product) {
            return List.of(matmul(node, product, in));
        }
        if (op instanceof Op.MaskedMatMul product) {
            Values scores = product(in.get(0), in.get(1), product.alpha(), shape);
            return List.of(Values.of(shape, i -> scores.data()[i] + in.get(2).broadcast(Values.index(shape, i))));
        }
        if (op instanceof Op.Cast) {
            boolean rounds = out.type() == DataType.BFLOAT16;
            return List.of(Values.of(
                    shape,
                    i -> rounds ? bfloat16(in.get(0).data()[i]) : in.get(0).data()[i]));
        }
        if (op instanceof Op.Fill fill) {
            return List.of(Values.of(shape, i -> fill.value()));
        }
        return MoveMath.has(op) ? List.of(MoveMath.apply(op, shape, in)) : LayerMath.apply(node, in);
    }

    private static Values reduce(ReduceKind kind, Values x, long[] shape) {
        Values result = Values.of(shape, i -> switch (kind) {
            case SUM, MEAN -> 0;
            case MAX -> Double.NEGATIVE_INFINITY;
            case MIN -> Double.POSITIVE_INFINITY;
        });
        for (int i = 0; i < x.data().length; i++) {
            long[] index = Values.index(x.shape(), i);
            for (int axis = 0; axis < shape.length; axis++) {
                index[axis] = shape[axis] == 1 ? 0 : index[axis];
            }
            int at = result.position(index);
            double old = result.data()[at];
            double value = x.data()[i];
            result.data()[at] = switch (kind) {
                case SUM -> old + value;
                case MEAN -> old + value * result.data().length / x.data().length;
                case MAX -> Math.max(old, value);
                case MIN -> Math.min(old, value);
            };
        }
        return result;
    }

    private static Values matmul(Node node, Op.MatMul op, List<Values> in) {
        long[] shape = node.output().shape();
        Values product = product(in.get(0), in.get(1), op.alpha(), shape);
        int columns = product.size(-1);
        return Values.of(
                shape,
                i -> product.data()[i]
                        + (op.bias() ? in.get(2).data()[i % columns] : 0)
                        + (op.accumulate() ? in.get(in.size() - 1).data()[i] : 0));
    }

    /** alpha a b of the last two axes, the others repeated. */
    static Values product(Values a, Values b, double alpha, long[] shape) {
        Values result = Values.zeros(shape);
        int inner = a.size(-1);
        int columns = result.size(-1);
        int rows = result.size(-2);
        for (int matrix = 0; matrix < result.data().length / (rows * columns); matrix++) {
            long[] index = Values.index(shape, matrix * rows * columns);
            int left = a.start(index);
            int right = b.start(index);
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < columns; j++) {
                    double sum = 0;
                    for (int k = 0; k < inner; k++) {
                        sum += a.data()[left + i * inner + k] * b.data()[right + k * columns + j];
                    }
                    result.data()[(matrix * rows + i) * columns + j] = alpha * sum;
                }
            }
        }
        return result;
    }

    /** Rounds to the nearest BFLOAT16, to the even one in the middle. */
    static double bfloat16(double x) {
        int bits = Float.floatToRawIntBits((float) x);
        if (!Double.isFinite(x)) {
            return x;
        }
        int rounded = bits + 0x7FFF + (bits >>> 16 & 1);
        return Float.intBitsToFloat(rounded & 0xFFFF0000);
    }

    /** Softmax along the last axis. */
    static Values softmax(Values x) {
        int width = x.size(-1);
        double[] y = new double[x.data().length];
        for (int row = 0; row < y.length; row += width) {
            double largest = Arrays.stream(x.data(), row, row + width).max().orElseThrow();
            double sum = 0;
            for (int i = row; i < row + width; i++) {
                y[i] = Math.exp(x.data()[i] - largest);
                sum += y[i];
            }
            for (int i = row; i < row + width; i++) {
                y[i] /= sum;
            }
        }
        return new Values(x.shape(), y);
    }

    /** dx = y (dy - sum(dy y)). */
    static Values softmaxGrad(Values y, Values dy) {
        int width = y.size(-1);
        double[] dx = new double[y.data().length];
        for (int row = 0; row < dx.length; row += width) {
            double sum = 0;
            for (int i = row; i < row + width; i++) {
                sum += y.data()[i] * dy.data()[i];
            }
            for (int i = row; i < row + width; i++) {
                dx[i] = y.data()[i] * (dy.data()[i] - sum);
            }
        }
        return new Values(y.shape(), dx);
    }

    static List<Values> list(Values... values) {
        return new ArrayList<>(List.of(values));
    }
}
