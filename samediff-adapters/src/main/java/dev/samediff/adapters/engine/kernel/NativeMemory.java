package dev.samediff.adapters.engine.kernel;

import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import org.bytedeco.javacpp.BytePointer;

/**
 * Memory outside of the Java heap. On Linux, large pieces ask for pages of 2 MB: products read so many rows at a time that the
 * addresses of 4 KB pages do not stay in the processor, which costs some 3 % of their speed.
 */
public final class NativeMemory implements AutoCloseable {
    private static final long PAGE = 2L << 20;
    private static final long ALIGNMENT = 64;
    private static final int MADV_HUGEPAGE = 14;

    private final BytePointer memory;
    private final long address;

    /**
     * Allocates.
     *
     * @param bytes how many
     * @throws OutOfMemoryError if there is not so much
     */
    public NativeMemory(long bytes) {
        boolean large = bytes >= 2 * PAGE;
        long alignment = large ? PAGE : ALIGNMENT;
        memory = new BytePointer(bytes + alignment);
        address = (memory.address() + alignment - 1) / alignment * alignment;
        if (large && Platform.isLinux()) {
            LibC.madvise(new Pointer(address), new NativeLong(bytes / PAGE * PAGE), MADV_HUGEPAGE); // only a wish
        }
    }

    /** Returns the address of the first byte, a multiple of 64. */
    public long address() {
        return address;
    }

    @Override
    public void close() {
        memory.close();
    }

    private static final class LibC {
        static {
            Native.register("c");
        }

        static native int madvise(Pointer start, NativeLong length, int advice);
    }
}
