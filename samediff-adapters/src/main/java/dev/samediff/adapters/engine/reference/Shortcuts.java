package dev.samediff.adapters.engine.reference;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.reduce.same.Sum;
import org.nd4j.linalg.api.ops.impl.scalar.PowDerivative;
import org.nd4j.linalg.api.ops.impl.scalar.ScalarMultiplication;
import org.nd4j.linalg.api.ops.impl.scalar.ScalarReverseSubtraction;
import org.nd4j.linalg.api.ops.impl.transforms.same.Identity;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Ops whose result is an input seen with another shape, or that ND4J computes the long way: the unneeded half of a
 * gradient, broadcasts made whole, a second tanh, a power for a square. Results differ by rounding at most.
 */
final class Shortcuts {
    private Shortcuts() {}

    /** Executes a step without its op; returns false, having done nothing, if its op must run. */
    static boolean apply(Step step, INDArray[] in, PlannedRunner runner) {
        if (step.op instanceof Identity) {
            runner.alias(step, 0, 0, in[0]);
            return true;
        }
        return switch (step.op.opName()) {
            case "reshape", "expand_dims", "squeeze" -> reshape(step, in, runner);
            case "add_bp" -> sumGradient(step, in, runner);
            case "multiply_bp" -> productGradient(step, in, runner);
            case "tanh_bp" -> tanhGradient(step, in, runner);
            case "_powderivative" -> squareGradient(step, in, runner);
            default -> false;
        };
    }

    private static boolean reshape(Step step, INDArray[] in, PlannedRunner runner) {
        INDArray x = in[0];
        if (!rowMajor(x) || wantsColumnMajor((DynamicCustomOp) step.op) || x.dataType() != step.types[0]) {
            return false;
        }
        LongShapeDescriptor shape = step.bind(in, false).get(0);
        if (shape.isEmpty()) {
            return false;
        }
        INDArray view = Arrays.equals(shape.getShape(), x.shape()) ? x : x.reshape('c', shape.getShape());
        runner.alias(step, 0, 0, view);
        return true;
    }

    private static boolean rowMajor(INDArray x) {
        return !x.isEmpty()
                && x.ordering() == 'c'
                && (x.rank() == 0 || Arrays.equals(x.stride(), Nd4j.getStrides(x.shape(), 'c')));
    }

    private static boolean wantsColumnMajor(DynamicCustomOp op) {
        return Arrays.stream(op.iArgs()).anyMatch(argument -> argument == -'f');
    }

    /** z = x + y: dx and dy are dz, summed over the dimensions in which the operand was broadcast. */
    private static boolean sumGradient(Step step, INDArray[] in, PlannedRunner runner) {
        INDArray gradient = in[2];
        if (!fits(step, in)) {
            return false;
        }
        for (int i = 0; i < 2; i++) {
            if (step.needed[i] && Arrays.equals(in[i].shape(), gradient.shape())) {
                runner.alias(step, i, 2, gradient);
            } else if (step.needed[i]) {
                sum(gradient, runner.allocate(step, i, in[i].shape(), false));
            }
        }
        return true;
    }

    /** z = x y: dx = dz y and dy = dz x, summed over the dimensions in which the operand was broadcast. */
    private static boolean productGradient(Step step, INDArray[] in, PlannedRunner runner) {
        INDArray gradient = in[2];
        if (!fits(step, in)) {
            return false;
        }
        for (int i = 0; i < 2; i++) {
            if (!step.needed[i]) {
                continue;
            }
            INDArray result = runner.allocate(step, i, in[i].shape(), false);
            if (Arrays.equals(in[i].shape(), gradient.shape())) {
                step.multiply(gradient, in[1 - i], result);
            } else {
                Storage product = runner.borrow(gradient);
                INDArray whole = product.shaped(gradient.shape());
                step.multiply(gradient, in[1 - i], whole);
                sum(whole, result);
                runner.giveBack(product);
            }
        }
        return true;
    }

    /** Tells whether both needed operands have dz's type and a shape that dz can be summed to. */
    private static boolean fits(Step step, INDArray[] in) {
        INDArray gradient = in[2];
        for (int i = 0; i < 2; i++) {
            if (step.needed[i]
                    && (gradient.dataType() != step.types[i]
                            || in[i].isEmpty()
                            || in[i].rank() > gradient.rank()
                            || in[i].rank() == 0)) {
                return false;
            }
        }
        return in[0].dataType() == in[1].dataType();
    }

    private static void sum(INDArray whole, INDArray result) {
        int missing = whole.rank() - result.rank();
        long[] kept = new long[whole.rank()];
        int[] dimensions = new int[whole.rank()];
        int count = 0;
        for (int d = 0; d < kept.length; d++) {
            kept[d] = d < missing ? 1 : result.size(d - missing);
            if (kept[d] != whole.size(d)) {
                dimensions[count++] = d;
            }
        }
        if (count == 0) {
            result.assign(whole.reshape('c', result.shape()));
            return;
        }
        Nd4j.exec(new Sum(whole, result.reshape('c', kept), true, Arrays.copyOf(dimensions, count)));
    }

    /** y = tanh x: dx = dz (1 - y^2), with the y of the forward pass instead of another tanh. */
    private static boolean tanhGradient(Step step, INDArray[] in, PlannedRunner runner) {
        if (in.length != 3) {
            return false;
        }
        INDArray result = runner.allocate(step, 0, in[2].shape(), false);
        step.multiply(in[2], in[2], result);
        Nd4j.exec(new ScalarReverseSubtraction(result, result, 1));
        step.multiply(result, in[1], result);
        return true;
    }

    /** y = x^2: SameDiff computes 2 x^1 with a power per element. */
    private static boolean squareGradient(Step step, INDArray[] in, PlannedRunner runner) {
        INDArray exponent = ((PowDerivative) step.op).scalar();
        if (exponent == null || exponent.getDouble(0) != 2) {
            return false;
        }
        INDArray result = runner.allocate(step, 0, in[0].shape(), false);
        Nd4j.exec(new ScalarMultiplication(in[0], null, result, 2));
        return true;
    }
}
