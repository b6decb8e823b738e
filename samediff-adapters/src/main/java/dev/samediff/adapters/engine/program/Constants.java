package dev.samediff.adapters.engine.program;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Arithmetic with one number that is known now. */
final class Constants {
    private Constants() {}

    /** Returns the value of a literal with one element, or null. */
    static @Nullable Double scalar(ProgramBuilder builder, Tensor tensor) {
        INDArray value = tensor.length() == 1 ? builder.literal(tensor) : null;
        Node producer = builder.producer(tensor);
        if (value == null && producer != null && producer.op() instanceof Op.Reshape) {
            return scalar(builder, producer.input(0));
        }
        return value == null ? null : value.getDouble(0);
    }

    /** Returns {@code a (kind) b} as a linear function of the operand that is not a number, or null. */
    static @Nullable Tensor simplify(ProgramBuilder builder, BinaryKind kind, Tensor a, Tensor b) {
        Double right = b.rank() <= a.rank() ? scalar(builder, b) : null;
        if (right != null) {
            return switch (kind) {
                case ADD -> builder.linear(a, 1, right);
                case SUBTRACT -> builder.linear(a, 1, -right);
                case MULTIPLY -> builder.linear(a, right, 0);
                case DIVIDE -> builder.linear(a, 1 / right, 0);
                default -> null;
            };
        }
        Double left = a.rank() <= b.rank() ? scalar(builder, a) : null;
        if (left != null) {
            return switch (kind) {
                case ADD -> builder.linear(b, 1, left);
                case SUBTRACT -> builder.linear(b, -1, left);
                case MULTIPLY -> builder.linear(b, left, 0);
                default -> null;
            };
        }
        return null;
    }
}
