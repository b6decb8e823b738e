package dev.samediff.adapters.engine.program;

import dev.samediff.adapters.engine.program.ProgramCheck.BrokenProgramException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;

/** What every operation requires of its inputs and outputs: how many, their types, shapes and axes. */
final class OpCheck {
    private final Node node;

    private OpCheck(Node node) {
        this.node = node;
    }

    /** Checks one node; throws what {@link ProgramCheck} reports. */
    static void check(Node node) {
        new OpCheck(node).run();
    }

    private void run() {
        Op op = node.op();
        if (op instanceof Op.View || op instanceof Op.Concat) {
            new MoveCheck(this).run();
        } else if (op instanceof Op.Cast) {
            arity(1, 1);
            same(in(0).shape(), out(0));
            require(isReal(in(0)) && isReal(out(0)), "casts FLOAT and BFLOAT16 into each other");
        } else if (op instanceof Op.Fill) {
            arity(0, 1);
            floats();
        } else if (op instanceof Op.Unary) {
            elementwise(1);
        } else if (op instanceof Op.UnaryGrad || op instanceof Op.SoftmaxGrad) {
            elementwise(2);
        } else if (op instanceof Op.Softmax) {
            elementwise(1);
            require(in(0).rank() > 0, "a softmax needs an axis");
        } else if (op instanceof Op.Binary) {
            arity(2, 1);
            floats();
            require(in(0).rank() == in(1).rank(), "operands have one rank");
            same(broadcast(in(0).shape(), in(1).shape()), out(0));
        } else if (op instanceof Op.Dropout) {
            arity(2, 1);
            isFloat(in(0));
            same(in(0).shape(), out(0));
            isFloat(out(0));
            shape(in(1), 2);
            require(in(1).type() == DataType.LONG, "a draw is LONG");
        } else if (op instanceof Op.Reduce) {
            arity(1, 1);
            floats();
            require(repeats(out(0), in(0).shape()) && out(0).rank() == in(0).rank(), "every axis stays or becomes 1");
        } else if (op instanceof Op.MatMul product) {
            matmul(2 + (product.bias() ? 1 : 0) + (product.accumulate() ? 1 : 0));
            if (product.bias()) {
                shape(in(2), out(0).size(-1));
            }
            if (product.accumulate()) {
                same(out(0).shape(), in(node.inputs().size() - 1));
            }
        } else if (op instanceof Op.MaskedMatMul) {
            matmul(3);
            require(in(2).isFloat() && repeats(in(2), out(0).shape()), "the mask is FLOAT and repeats to the product");
        } else if (op instanceof Op.Nd4j call) {
            require(node.outputs().size() == call.call().types().length, "as many outputs as the op has");
        } else {
            new LayerCheck(this).run();
        }
    }

    Node node() {
        return node;
    }

    Tensor in(int index) {
        return node.input(index);
    }

    Tensor out(int index) {
        return node.outputs().get(index);
    }

    void arity(int inputs, int outputs) {
        if (node.inputs().size() != inputs || node.outputs().size() != outputs) {
            require(false, inputs + " inputs and " + outputs + " outputs");
        }
    }

    /** All inputs and outputs are FLOAT. */
    void floats() {
        node.inputs().forEach(this::isFloat);
        node.outputs().forEach(this::isFloat);
    }

    void isFloat(Tensor tensor) {
        if (!tensor.isFloat()) {
            require(false, tensor + " is FLOAT");
        }
    }

    void isIndex(Tensor tensor) {
        if (tensor.type() != DataType.INT && tensor.type() != DataType.LONG) {
            require(false, tensor + " is INT or LONG");
        }
    }

    void shape(Tensor tensor, long... expected) {
        if (!tensor.hasShape(expected)) {
            require(false, tensor + " has the shape " + Arrays.toString(expected));
        }
    }

    void same(long[] expected, Tensor tensor) {
        shape(tensor, expected);
    }

    void require(boolean holds, String rule) {
        if (!holds) {
            throw new BrokenProgramException(node.op() + " with inputs " + node.inputs() + " and outputs "
                    + node.outputs() + " breaks the rule: " + rule);
        }
    }

    /** Tells whether a tensor can be repeated to a shape. */
    static boolean repeats(Tensor tensor, long... shape) {
        int missing = shape.length - tensor.rank();
        return missing >= 0
                && IntStream.range(0, tensor.rank())
                        .allMatch(axis -> tensor.size(axis) == 1 || tensor.size(axis) == shape[axis + missing]);
    }

    private static boolean isReal(Tensor tensor) {
        return tensor.type() == DataType.FLOAT || tensor.type() == DataType.BFLOAT16;
    }

    private void elementwise(int inputs) {
        arity(inputs, 1);
        floats();
        node.inputs().forEach(input -> same(input.shape(), out(0)));
    }

    private long[] broadcast(long[] a, long[] b) {
        try {
            return Shapes.broadcast(a, b);
        } catch (IllegalArgumentException e) {
            throw new BrokenProgramException(node.op() + ": " + e.getMessage());
        }
    }

    private void matmul(int inputs) {
        arity(inputs, 1);
        Tensor a = in(0);
        Tensor b = in(1);
        int rank = out(0).rank();
        require(
                isReal(a) && isReal(b) && (b.isFloat() ? a.isFloat() : true),
                "factors are FLOAT, the right ones also BFLOAT16");
        require(a.rank() == rank && b.rank() == rank && rank >= 2, "factors and product have one rank, 2 or more");
        require(a.size(-1) == b.size(-2), "columns of the left are rows of the right");
        require(a.size(-2) == out(0).size(-2) && b.size(-1) == out(0).size(-1), "the product is [..., m, n]");
        List.of(a, b)
                .forEach(factor -> require(
                        IntStream.range(0, rank - 2)
                                .allMatch(axis -> factor.size(axis) == 1 || factor.size(axis) == out(0).size(axis)),
                        "leading axes repeat to those of the product"));
        isFloat(out(0));
    }
}
