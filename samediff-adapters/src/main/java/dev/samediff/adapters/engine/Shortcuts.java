package dev.samediff.adapters.engine;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.transforms.same.Identity;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Ops whose result is an input seen with another shape, or whose unneeded half costs more than the needed one. The
 * results are the same to the last bit.
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
            default -> false;
        };
    }

    private static boolean reshape(Step step, INDArray[] in, PlannedRunner runner) {
        INDArray x = in[0];
        if (!rowMajor(x) || wantsColumnMajor((DynamicCustomOp) step.op) || x.dataType() != step.types[0]) {
            return false;
        }
        LongShapeDescriptor shape = step.bind(in).get(0);
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

    /** z = x + y: dx = dy = dz where nothing was broadcast. */
    private static boolean sumGradient(Step step, INDArray[] in, PlannedRunner runner) {
        INDArray gradient = in[2];
        for (int i = 0; i < 2; i++) {
            if (step.needed[i] && !same(in[i], gradient, step, i)) {
                return false;
            }
        }
        for (int i = 0; i < 2; i++) {
            if (step.needed[i]) {
                runner.alias(step, i, 2, gradient);
            }
        }
        return true;
    }

    /** z = x y: dx = dz y where x was not broadcast, and dy likewise. */
    private static boolean productGradient(Step step, INDArray[] in, PlannedRunner runner) {
        INDArray gradient = in[2];
        for (int i = 0; i < 2; i++) {
            if (step.needed[i] && !same(in[i], gradient, step, i)) {
                return false;
            }
        }
        for (int i = 0; i < 2; i++) {
            if (step.needed[i]) {
                INDArray result = runner.allocate(step, i, gradient.shape(), false);
                step.multiply(gradient, in[1 - i], result);
            }
        }
        return true;
    }

    private static boolean same(INDArray operand, INDArray gradient, Step step, int output) {
        return Arrays.equals(operand.shape(), gradient.shape()) && gradient.dataType() == step.types[output];
    }
}
