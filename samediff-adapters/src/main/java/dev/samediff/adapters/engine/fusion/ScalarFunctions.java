package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.HashMap;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/** Knows of every tensor of a program whether it is an element-wise function of one other tensor. */
final class ScalarFunctions {
    /** Functions of more steps are none that a kernel computes. */
    private static final int LARGEST = 24;

    private final Map<Tensor, Function> functions = new HashMap<>();

    private ScalarFunctions() {}

    /** Looks at a program. */
    static ScalarFunctions of(Program program) {
        ScalarFunctions all = new ScalarFunctions();
        program.nodes().forEach(all::add);
        return all;
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
    Function function(Tensor tensor) {
        Function function = functions.get(tensor);
        return function == null ? new Function(tensor, x -> x, 0) : function;
    }

    private void add(Node node) {
        Function function = null;
        if (node.op() instanceof Op.Unary unary) {
            function = unary(unary.kind(), unary.alpha(), unary.beta(), node.input(0));
        } else if (node.op() instanceof Op.Binary binary) {
            function = binary(binary.kind(), node);
        }
        if (function != null && function.steps() <= LARGEST) {
            functions.put(node.output(), function);
        }
    }

    private @Nullable Function unary(UnaryKind kind, double alpha, double beta, Tensor x) {
        DoubleUnaryOperator outer = Scalars.function(kind, alpha, beta);
        Function inner = function(x);
        return outer == null
                ? null
                : new Function(inner.root(), v -> outer.applyAsDouble(inner.at(v)), inner.steps() + 1);
    }

    private @Nullable Function binary(BinaryKind kind, Node node) {
        Function left = function(node.input(0));
        Function right = function(node.input(1));
        if (left.root() != right.root() || !node.input(0).hasShape(node.input(1).shape())) {
            return null;
        }
        return new Function(
                left.root(), v -> Scalars.apply(kind, left.at(v), right.at(v)), left.steps() + right.steps() + 1);
    }
}
