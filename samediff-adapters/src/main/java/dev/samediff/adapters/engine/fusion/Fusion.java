package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.Rewrite;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Fusions that are only right, or only worth it, if a value has no other reader: factors, biases, masks and sums go into the
 * matrix product they follow.
 */
public final class Fusion extends Rewrite {
    /** What is added to scores that must not count. */
    private static final double HIDES = -1e9;

    private Fusion(Program program) {
        super(program);
    }

    /** Returns an equivalent program with fewer nodes. */
    public static Program apply(Program program) {
        Program current = program;
        while (true) {
            Program next = new Fusion(current).run();
            if (next.nodes().size() == current.nodes().size()) {
                return next;
            }
            current = next;
        }
    }

    @Override
    protected @Nullable Tensor replacement(Node node) {
        if (node.op() instanceof Op.Unary op && op.kind() == UnaryKind.LINEAR && op.beta() == 0) {
            return scaled(node, op.alpha());
        }
        if (node.op() instanceof Op.Softmax) {
            return maskedSoftmax(node);
        }
        if (node.op() instanceof Op.Binary op && op.kind() == BinaryKind.ADD) {
            Tensor biased = biased(node, node.input(0), node.input(1));
            if (biased == null) {
                biased = biased(node, node.input(1), node.input(0));
            }
            if (biased == null) {
                biased = accumulated(node, node.input(0), node.input(1));
            }
            return biased == null ? accumulated(node, node.input(1), node.input(0)) : biased;
        }
        return null;
    }

    /** alpha (a b) */
    private @Nullable Tensor scaled(Node node, double alpha) {
        Node product = onlyReadHere(node.input(0));
        if (product == null || !(product.op() instanceof Op.MatMul op) || op.bias() || op.accumulate()) {
            return null;
        }
        return matmul(product, alpha * op.alpha(), null, null);
    }

    /** a b + bias, also seen in another shape. */
    private @Nullable Tensor biased(Node node, Tensor sum, Tensor bias) {
        if (sum.rank() == 0 || bias.rank() == 0) {
            return null;
        }
        Node product = onlyReadHere(sum);
        if (product != null && product.op() instanceof Op.Reshape) {
            product = sum.size(-1) == product.input(0).size(-1) ? onlyReadHere(product.input(0)) : null;
        }
        boolean perColumn = bias.length() == sum.size(-1) && bias.size(-1) == sum.size(-1);
        if (product == null
                || !perColumn
                || !node.output().hasShape(sum.shape())
                || !(product.op() instanceof Op.MatMul op)
                || op.bias()) {
            return null;
        }
        Tensor flat = builder.reshape(get(bias), bias.length());
        Tensor result = matmul(product, op.alpha(), flat, op.accumulate() ? get(product.input(2)) : null);
        return builder.reshape(result, node.output().shape());
    }

    /** c + a b, of equal shapes, also seen in another shape. */
    private @Nullable Tensor accumulated(Node node, Tensor first, Tensor second) {
        if (!first.hasShape(second.shape())) {
            return null;
        }
        Node product = onlyReadHere(second);
        if (product != null && product.op() instanceof Op.Reshape) {
            product = onlyReadHere(product.input(0));
        }
        if (product == null || !(product.op() instanceof Op.MatMul op) || op.accumulate() || isSkewed(product)) {
            return null;
        }
        Tensor target = builder.reshape(get(first), product.output().shape());
        Tensor bias = op.bias() ? get(product.input(2)) : null;
        return builder.reshape(
                matmul(product, op.alpha(), bias, target), node.output().shape());
    }

    /** Products whose result is summed or permuted later have a layout of their own. */
    private static boolean isSkewed(Node product) {
        return product.output().rank() > 3;
    }

    private Tensor matmul(Node product, double alpha, @Nullable Tensor bias, @Nullable Tensor accumulated) {
        List<Tensor> inputs = new ArrayList<>(List.of(get(product.input(0)), get(product.input(1))));
        if (bias != null) {
            inputs.add(bias);
        }
        if (accumulated != null) {
            inputs.add(accumulated);
        }
        Op op = new Op.MatMul(alpha, bias != null, accumulated != null);
        return builder.add(op, inputs, DataType.FLOAT, product.output().shape());
    }

    /** softmax(alpha q k + mask), where the mask may also be written as a choice between the scores and a large negative number. */
    private @Nullable Tensor maskedSoftmax(Node softmax) {
        Node sum = onlyReadHere(softmax.input(0));
        if (sum == null || !(sum.op() instanceof Op.Binary op) || op.kind() != BinaryKind.ADD) {
            return null;
        }
        for (int i = 0; i < 2; i++) {
            Tensor scores = sum.input(i);
            Tensor mask = sum.input(1 - i);
            Node choice = onlyReadHere(scores);
            if (choice != null && choice.op() instanceof Op.Binary inner && inner.kind() == BinaryKind.MULTIPLY) {
                if (isImplied(choice.input(1), mask)) {
                    scores = choice.input(0);
                } else if (isImplied(choice.input(0), mask)) {
                    scores = choice.input(1);
                }
            }
            Tensor result = maskedSoftmax(softmax, scores, mask);
            if (result != null) {
                return result;
            }
        }
        return null;
    }

    private @Nullable Tensor maskedSoftmax(Node softmax, Tensor scores, Tensor mask) {
        Node product = onlyReadHere(scores);
        double factor = 1;
        if (product != null
                && product.op() instanceof Op.Unary linear
                && linear.kind() == UnaryKind.LINEAR
                && linear.beta() == 0) {
            factor = linear.alpha();
            product = onlyReadHere(product.input(0));
        }
        if (product == null
                || !(product.op() instanceof Op.MatMul op)
                || op.bias()
                || op.accumulate()
                || !scores.hasShape(softmax.output().shape())) {
            return null;
        }
        List<Tensor> inputs = List.of(get(product.input(0)), get(product.input(1)), get(mask));
        Op masked = new Op.MaskedMatMul(op.alpha() * factor);
        return builder.softmax(builder.add(masked, inputs, DataType.FLOAT, scores.shape()));
    }

    /**
     * Tells whether a factor is 0 or 1 everywhere, and 0 only where the mask added to the product is so low that the softmax
     * is 0 there anyway; then multiplying by it changes nothing.
     */
    private boolean isImplied(Tensor factor, Tensor mask) {
        INDArray f = program.literals().get(behindReshapes(factor));
        INDArray m = program.literals().get(behindReshapes(mask));
        if (f == null || m == null || f.length() != m.length()) {
            return false;
        }
        INDArray on = f.reshape(-1);
        INDArray added = m.reshape(-1);
        for (long i = 0; i < f.length(); i++) {
            boolean shown = on.getFloat(i) == 1 && added.getFloat(i) == 0;
            boolean hidden = on.getFloat(i) == 0 && added.getFloat(i) <= HIDES;
            if (!shown && !hidden) {
                return false;
            }
        }
        return true;
    }
}
