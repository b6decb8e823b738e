package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Knows of every tensor whether it is an element-wise function of one other tensor, and replaces the functions that have a
 * kernel. Functions are compared by their values, not by how they are written: every exporter writes a GELU in another way.
 */
public final class ScalarFunctions {
    private static final double TOLERANCE = 1e-6;
    private static final int LARGEST = 24;
    private static final double[] POINTS = {
        -11.3, -6.1, -4.7, -3.3, -2.9, -2.1, -1.7, -1.3, -0.9, -0.61, -0.37, -0.13, -0.01, 0, 0.02, 0.11, 0.43, 0.59,
        0.83, 1, 1.21, 1.83, 2.37, 2.83, 3.41, 4.3, 5.9, 9.7
    };

    private final ProgramBuilder builder;
    private final Map<Tensor, Function> functions = new LinkedHashMap<>();

    public ScalarFunctions(ProgramBuilder builder) {
        this.builder = builder;
    }

    /**
     * A tensor as a function of another one of the same shape.
     *
     * @param root the other one
     * @param value the function
     * @param steps element-wise operations it is made of
     */
    record Function(Tensor root, DoubleUnaryOperator value, int steps) {
        double at(double x) {
            return value.applyAsDouble(x);
        }
    }

    /** Returns a tensor as a function, which may be of itself. */
    Function of(Tensor tensor) {
        Function function = functions.get(tensor);
        return function == null ? new Function(tensor, x -> x, 0) : function;
    }

    public Tensor unary(UnaryKind kind, double alpha, double beta, Tensor x, Tensor result) {
        DoubleUnaryOperator outer = Scalars.function(kind, alpha, beta);
        if (outer == null || functions.containsKey(result)) {
            return result;
        }
        Function inner = of(x);
        return define(result, new Function(inner.root(), v -> outer.applyAsDouble(inner.at(v)), inner.steps() + 1));
    }

    public Tensor binary(BinaryKind kind, Tensor a, Tensor b, Tensor result) {
        Function left = of(a);
        Function right = of(b);
        if (left.root() != right.root() || !a.hasShape(b.shape()) || functions.containsKey(result)) {
            return result;
        }
        return define(
                result,
                new Function(
                        left.root(),
                        v -> Scalars.apply(kind, left.at(v), right.at(v)),
                        left.steps() + right.steps() + 1));
    }

    private Tensor define(Tensor result, Function function) {
        if (function.steps() > LARGEST) {
            return result;
        }
        functions.put(result, function);
        Tensor known = function.steps() < 2 && !isSquare(result) ? null : kernel(function);
        if (known == null) {
            return result;
        }
        functions.putIfAbsent(known, function);
        return known;
    }

    private boolean isSquare(Tensor result) {
        Node node = builder.producer(result);
        return node != null && node.op() instanceof Op.Binary && node.input(0) == node.input(1);
    }

    private @Nullable Tensor kernel(Function f) {
        UnaryKind[] plain = {
            UnaryKind.SQUARE, UnaryKind.GELU_TANH, UnaryKind.GELU_ERF, UnaryKind.SIGMOID, UnaryKind.RELU, UnaryKind.TANH
        };
        for (UnaryKind kind : plain) {
            if (equal(f, Scalars.function(kind, 0, 0))) {
                return activation(kind, 0, f);
            }
        }
        double alpha = Math.log(f.at(1) / (1 - f.at(1)));
        if (Double.isFinite(alpha) && alpha > 0 && equal(f, Scalars.function(UnaryKind.SWISH, alpha, 0))) {
            return activation(UnaryKind.SWISH, Math.abs(alpha - 1) < TOLERANCE ? 1 : alpha, f);
        }
        return null;
    }

    private Tensor activation(UnaryKind kind, double alpha, Function f) {
        return builder.add(
                new Op.Unary(kind, alpha, 0),
                List.of(f.root()),
                f.root().type(),
                f.root().shape());
    }

    private static boolean equal(Function f, @Nullable DoubleUnaryOperator known) {
        if (known == null) {
            return false;
        }
        for (double x : POINTS) {
            double expected = known.applyAsDouble(x);
            if (!(Math.abs(f.at(x) - expected) <= TOLERANCE * (1 + Math.abs(expected)))) {
                return false;
            }
        }
        return true;
    }
}
