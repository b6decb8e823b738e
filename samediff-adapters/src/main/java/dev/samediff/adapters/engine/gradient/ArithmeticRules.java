package dev.samediff.adapters.engine.gradient;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.List;
import java.util.Map;

/** Element-wise functions, sums and matrix products. */
final class ArithmeticRules {
    private ArithmeticRules() {}

    static void register(Map<Class<? extends Op>, Rule> table) {
        table.put(Op.Unary.class, ArithmeticRules::unary);
        table.put(Op.Binary.class, ArithmeticRules::binary);
        table.put(Op.Dropout.class, ArithmeticRules::dropout);
        table.put(Op.Reduce.class, ArithmeticRules::reduce);
        table.put(Op.MatMul.class, ArithmeticRules::matmul);
        table.put(Op.MaskedMatMul.class, ArithmeticRules::maskedMatmul);
    }

    private static void unary(Node node, Tensor g, Backward backward) {
        Op.Unary op = (Op.Unary) node.op();
        Tensor x = node.input(0);
        if (op.kind() == UnaryKind.LINEAR) {
            backward.add(x, backward.builder().linear(g, op.alpha(), 0));
            return;
        }
        Op gradient = new Op.UnaryGrad(op.kind(), op.alpha(), op.beta());
        backward.add(x, backward.builder().add(gradient, List.of(g, x), x.type(), x.shape()));
    }

    private static void binary(Node node, Tensor g, Backward backward) {
        ProgramBuilder builder = backward.builder();
        Tensor a = node.input(0);
        Tensor b = node.input(1);
        switch (((Op.Binary) node.op()).kind()) {
            case ADD -> {
                one(a, g, backward);
                one(b, g, backward);
            }
            case SUBTRACT -> {
                one(a, g, backward);
                if (backward.wants(b)) {
                    one(b, builder.linear(g, -1, 0), backward);
                }
            }
            case MULTIPLY -> {
                if (backward.wants(a)) {
                    one(a, builder.binary(BinaryKind.MULTIPLY, g, b), backward);
                }
                if (backward.wants(b)) {
                    one(b, builder.binary(BinaryKind.MULTIPLY, g, a), backward);
                }
            }
            case DIVIDE -> {
                Tensor quotient = builder.binary(BinaryKind.DIVIDE, g, b);
                one(a, quotient, backward);
                if (backward.wants(b)) {
                    Tensor product = builder.binary(BinaryKind.MULTIPLY, quotient, node.output());
                    one(b, builder.linear(product, -1, 0), backward);
                }
            }
            case MAXIMUM -> chosen(a, b, g, 0.5, backward);
            case MINIMUM -> chosen(a, b, g, -0.5, backward);
        }
    }

    /**
     * The larger (half = 0.5) or smaller (-0.5) of two: its gradient goes to it, and half to each where they are equal, as in
     * PyTorch; {@code maximum_bp} of ND4J gives the whole to both. sign(a - b) is the slope of the absolute value.
     */
    private static void chosen(Tensor a, Tensor b, Tensor g, double half, Backward backward) {
        ProgramBuilder builder = backward.builder();
        Tensor difference = builder.binary(BinaryKind.SUBTRACT, a, b);
        Op sign = new Op.UnaryGrad(UnaryKind.ABS, 0, 0);
        Tensor signed = builder.add(sign, List.of(g, difference), g.type(), g.shape());
        Tensor mean = builder.linear(g, 0.5, 0);
        if (backward.wants(a)) {
            one(a, builder.binary(BinaryKind.ADD, mean, builder.linear(signed, half, 0)), backward);
        }
        if (backward.wants(b)) {
            one(b, builder.binary(BinaryKind.SUBTRACT, mean, builder.linear(signed, half, 0)), backward);
        }
    }

    private static void one(Tensor operand, Tensor g, Backward backward) {
        if (backward.wants(operand)) {
            backward.add(operand, backward.sumTo(g, operand));
        }
    }

    /** What was dropped gets no gradient, what was kept its own times the same factor. */
    private static void dropout(Node node, Tensor g, Backward backward) {
        List<Tensor> inputs = List.of(g, node.input(1));
        backward.add(node.input(0), backward.builder().add(node.op(), inputs, g.type(), g.shape()));
    }

    private static void reduce(Node node, Tensor g, Backward backward) {
        Tensor x = node.input(0);
        switch (((Op.Reduce) node.op()).kind()) {
            case SUM -> spread(x, g, 1, backward);
            case MEAN -> spread(x, g, (double) g.length() / x.length(), backward);
            case MAX -> Nd4jRules.extreme(node, g, "reduce_max_bp", backward);
            case MIN -> Nd4jRules.extreme(node, g, "reduce_min_bp", backward);
        }
    }

    private static void spread(Tensor x, Tensor g, double factor, Backward backward) {
        ProgramBuilder builder = backward.builder();
        backward.add(x, builder.expand(builder.linear(g, factor, 0), x.shape()));
    }

    private static void matmul(Node node, Tensor g, Backward backward) {
        Op.MatMul op = (Op.MatMul) node.op();
        product(node.input(0), node.input(1), op.alpha(), g, backward);
        int next = 2;
        if (op.bias()) {
            Tensor bias = node.input(next++);
            if (backward.wants(bias)) {
                Tensor rows = backward.builder().reshape(g, g.length() / g.size(-1), g.size(-1));
                Tensor sum = backward.builder().reduce(ReduceKind.SUM, rows, new int[] {0}, false);
                backward.add(bias, sum);
            }
        }
        if (op.accumulate()) {
            backward.add(node.input(next), g);
        }
    }

    private static void maskedMatmul(Node node, Tensor g, Backward backward) {
        product(node.input(0), node.input(1), ((Op.MaskedMatMul) node.op()).alpha(), g, backward);
        Tensor mask = node.input(2);
        if (backward.wants(mask)) {
            backward.add(mask, backward.sumTo(g, mask));
        }
    }

    /** For C = alpha A B: dA = alpha G B^T, dB = alpha A^T G. */
    private static void product(Tensor a, Tensor b, double alpha, Tensor g, Backward backward) {
        ProgramBuilder builder = backward.builder();
        if (backward.wants(a)) {
            one(a, builder.matmul(g, builder.transpose(b), alpha), backward);
        }
        if (backward.wants(b)) {
            one(b, builder.matmul(builder.transpose(a), g, alpha), backward);
        }
    }
}
