package dev.samediff.adapters.engine.kernel;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;

/** A few numbers in memory of their own that never change. */
final class Constant implements Place {
    private final BytePointer memory;

    private Constant(long bytes) {
        memory = new BytePointer(bytes);
        Pointer.memset(memory, 0, bytes);
    }

    /** Returns a dense tensor filled with one value. */
    static Tensor of(DataType type, double value, long... shape) {
        Layout layout = Layout.dense(shape);
        Constant constant = new Constant(layout.length() * Tensors.bytes(type));
        for (long i = 0; i < layout.length(); i++) {
            constant.put(type, i, value);
        }
        return new Tensor(type, layout, constant);
    }

    private void put(DataType type, long i, double value) {
        switch (type) {
            case FLOAT -> memory.putFloat(4 * i, (float) value);
            case INT -> memory.putInt(4 * i, (int) value);
            case LONG -> memory.putLong(8 * i, (long) value);
            case BOOL -> memory.put(i, (byte) (value == 0 ? 0 : 1));
            default -> throw new IllegalArgumentException("no constants of type " + type);
        }
    }

    @Override
    public long address() {
        return memory.address();
    }
}
