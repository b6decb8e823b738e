package dev.samediff.adapters.engine.kernel;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.indexer.ByteRawIndexer;
import org.bytedeco.javacpp.indexer.FloatRawIndexer;
import org.bytedeco.javacpp.indexer.IntRawIndexer;
import org.bytedeco.javacpp.indexer.LongRawIndexer;
import org.nd4j.linalg.api.buffer.DataType;

/** Numbers by address. Nothing is checked: who calls has checked that the address is of an operand. */
final class Memory {
    private static final long ALL = Long.MAX_VALUE;
    // Indexers over the whole address space, in units of their elements.
    private static final ByteRawIndexer BYTES = new ByteRawIndexer(new BytePointer((Pointer) null).capacity(ALL));
    private static final FloatRawIndexer FLOATS = new FloatRawIndexer(new FloatPointer((Pointer) null).capacity(ALL));
    private static final IntRawIndexer INTS = new IntRawIndexer(new IntPointer((Pointer) null).capacity(ALL));
    private static final LongRawIndexer LONGS = new LongRawIndexer(new LongPointer((Pointer) null).capacity(ALL));

    private Memory() {}

    static float getFloat(long address) {
        return FLOATS.getRaw(address >> 2);
    }

    static void putFloat(long address, float value) {
        FLOATS.putRaw(address >> 2, value);
    }

    static int getInt(long address) {
        return INTS.getRaw(address >> 2);
    }

    static void fill(long address, long count, float value) {
        for (long i = 0; i < count; i++) {
            putFloat(address + 4 * i, value);
        }
    }

    /** Fills with one value, rounded to the type; a BOOL becomes whether it is not 0. */
    static void fill(long address, DataType type, long count, double value) {
        for (long i = 0; i < count; i++) {
            switch (type) {
                case FLOAT -> putFloat(address + 4 * i, (float) value);
                case INT -> INTS.putRaw((address >> 2) + i, (int) value);
                case LONG -> LONGS.putRaw((address >> 3) + i, (long) value);
                case BOOL -> BYTES.putRaw(address + i, (byte) (value == 0 ? 0 : 1));
                default -> throw new IllegalArgumentException("no constants of type " + type);
            }
        }
    }

    static long getLong(long address) {
        return LONGS.getRaw(address >> 3);
    }
}
