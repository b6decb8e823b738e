package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Operand;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** What kernels ask of their operands; the errors name the kernel and the operand. */
final class Tensors {
    private Tensors() {}

    static @Nullable TensorView of(@Nullable Operand operand) {
        return operand == null ? null : TensorView.of(operand);
    }

    /** Returns the size of an element; every type of fixed width can be copied, some can be computed with. */
    static int bytes(DataType type) {
        if (!type.isNumerical() && type != DataType.BOOL) {
            throw new IllegalArgumentException("kernels know types of fixed width, not " + type);
        }
        return type.width();
    }

    static void type(String kernel, String name, TensorView tensor, DataType... allowed) {
        if (!Arrays.asList(allowed).contains(tensor.type())) {
            throw new IllegalArgumentException(
                    kernel + ": `" + name + "` is " + tensor + ", expected one of " + Arrays.toString(allowed));
        }
    }

    static void floats(String kernel, TensorView... tensors) {
        for (TensorView tensor : tensors) {
            if (tensor.type() != DataType.FLOAT) {
                throw new IllegalArgumentException(
                        kernel + ": an operand is " + tensor + ", all must be FLOAT; copy it to one first");
            }
        }
    }

    static void shape(String kernel, String name, TensorView tensor, long... expected) {
        if (!Arrays.equals(tensor.shape(), expected)) {
            throw new IllegalArgumentException(kernel + ": the shape of `" + name + "` is "
                    + Arrays.toString(tensor.shape()) + ", expected " + Arrays.toString(expected));
        }
    }

    static void length(String kernel, String name, TensorView tensor, long expected) {
        if (tensor.layout().length() != expected || !tensor.isDense()) {
            throw new IllegalArgumentException(kernel + ": `" + name + "` is " + tensor + " with " + tensor.layout()
                    + ", expected " + expected + " elements without holes");
        }
    }

    /** Checks that a result is not written to one place several times. */
    static void written(String kernel, String name, TensorView tensor) {
        Layout layout = tensor.layout();
        for (int i = 0; i < layout.rank(); i++) {
            if (layout.stride(i) == 0 && layout.size(i) > 1) {
                throw new IllegalArgumentException(kernel + ": `" + name
                        + "` is written to and must not have a broadcast axis, its layout is " + layout);
            }
        }
    }
}
