package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;

/** An operand with memory of its own, read and written as doubles in row-major order of its axes. */
final class Numbers {
    private static final int GUARD = 64;

    final Operand operand;
    private final long[] shape;
    private final long[] strides;
    private BytePointer memory;

    private Numbers(Operand operand) {
        this.operand = operand;
        this.shape = operand.shape();
        this.strides = operand.strides();
        this.memory = allocate();
        operand.place(memory.address());
    }

    static Numbers strided(DataType type, long[] shape, long[] strides) {
        return new Numbers(new Operand(type, shape, strides));
    }

    static Numbers zeros(long... shape) {
        return new Numbers(Operand.dense(DataType.FLOAT, shape));
    }

    static Numbers random(long seed, long... shape) {
        return zeros(shape).randomise(seed);
    }

    static Numbers of(double... values) {
        return zeros(values.length).set(values);
    }

    /** The axes lie in memory in this order, outermost first, with a hole behind every innermost row. */
    static Numbers ordered(int[] order, long... shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = order.length - 1; i >= 0; i--) {
            strides[order[i]] = stride;
            stride *= shape[order[i]] + (i == order.length - 1 ? 3 : 0);
        }
        return strided(DataType.FLOAT, shape, strides);
    }

    Numbers randomise(long seed) {
        Random random = new Random(seed);
        return fill(() -> random.nextGaussian());
    }

    Numbers fill(DoubleSupplier source) {
        double[] values = new double[Math.toIntExact(operand.length())];
        Arrays.setAll(values, i -> source.getAsDouble());
        return set(values);
    }

    Numbers set(double... values) {
        for (int i = 0; i < values.length; i++) {
            put(offset(i), values[i]);
        }
        return this;
    }

    /** Returns the values as they are stored, so that a reference starts from the rounded numbers. */
    double[] values() {
        double[] values = new double[Math.toIntExact(operand.length())];
        Arrays.setAll(values, i -> get(offset(i)));
        return values;
    }

    /** Moves the operand, with its numbers, to other memory; the old memory is spoiled. */
    Numbers move() {
        BytePointer old = memory;
        memory = allocate();
        Pointer.memcpy(memory, old, old.capacity());
        Pointer.memset(old, 0x7f, old.capacity());
        operand.place(memory.address());
        return this;
    }

    void isCloseTo(double[] expected, double tolerance) {
        double[] actual = values();
        assertThat(actual).hasSameSizeAs(expected);
        double scale = Arrays.stream(expected).map(Math::abs).max().orElse(0);
        for (int i = 0; i < actual.length; i++) {
            double allowed = tolerance * Math.max(scale, 1e-30);
            if (!(Math.abs(actual[i] - expected[i]) <= allowed)) {
                throw new AssertionError("element " + i + " of " + operand + " is " + actual[i] + ", expected "
                        + expected[i] + " within " + allowed);
            }
        }
    }

    /** Checks that nothing is left to oneDNN's reference code, on processors for which that was looked at. */
    static void isFast(Kernel kernel) {
        if (OneDnn.isa().startsWith("avx512")) {
            assertThat(kernel.describe()).doesNotContain("ref:");
        }
    }

    /** Returns another operand of this shape and these strides at the same place. */
    Operand twin() {
        Operand twin = new Operand(operand.type(), shape, strides);
        twin.place(operand.address());
        return twin;
    }

    private BytePointer allocate() {
        long last = 0;
        for (int i = 0; i < shape.length; i++) {
            last += (shape[i] - 1) * strides[i];
        }
        long bytes = (last + 1) * Tensors.bytes(operand.type()) + GUARD;
        BytePointer fresh = new BytePointer(bytes);
        Pointer.memset(fresh, 0, bytes);
        return fresh;
    }

    private long offset(long index) {
        long offset = 0;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            offset += index % shape[axis] * strides[axis];
            index /= shape[axis];
        }
        return offset;
    }

    private double get(long i) {
        return switch (operand.type()) {
            case FLOAT -> memory.getFloat(4 * i);
            case INT -> memory.getInt(4 * i);
            case LONG -> memory.getLong(8 * i);
            case BOOL -> memory.get(i);
            case BFLOAT16 -> Float.intBitsToFloat((memory.getShort(2 * i) & 0xffff) << 16);
            default -> throw new IllegalStateException();
        };
    }

    private void put(long i, double value) {
        switch (operand.type()) {
            case FLOAT -> memory.putFloat(4 * i, (float) value);
            case INT -> memory.putInt(4 * i, (int) value);
            case LONG -> memory.putLong(8 * i, (long) value);
            case BOOL -> memory.put(i, (byte) value);
            case BFLOAT16 ->
                memory.putShort(
                        2 * i, (short) (Float.floatToIntBits((float) value) + 0x8000 >> 16)); // rounds to nearest
            default -> throw new IllegalStateException();
        }
    }
}
