package dev.samediff.adapters.memory;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.indexer.ByteRawIndexer;
import org.bytedeco.javacpp.indexer.IntRawIndexer;

/** Raw bits by address. Nothing is checked: the caller holds the array that the address belongs to. */
public final class NativeBits {
    private static final long ALL = Long.MAX_VALUE;
    // Indexers over the whole address space.
    private static final ByteRawIndexer BYTES = new ByteRawIndexer(new BytePointer((Pointer) null).capacity(ALL));
    private static final IntRawIndexer INTS = new IntRawIndexer(new IntPointer((Pointer) null).capacity(ALL));

    private NativeBits() {}

    /** Returns the four bytes at an address that is a multiple of four. */
    public static int ofInt(long address) {
        return INTS.getRaw(address >> 2);
    }

    /** Returns the byte at an address. */
    public static int ofByte(long address) {
        return BYTES.getRaw(address);
    }

    /** Tells whether the same bytes lie at two addresses. */
    public static boolean equal(long first, long second, long bytes) {
        return Pointer.memcmp(new Raw(first), new Raw(second), bytes) == 0;
    }

    /** A pointer that owns nothing. */
    private static final class Raw extends Pointer {
        Raw(long address) {
            this.address = address;
        }
    }
}
