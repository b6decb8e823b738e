package dev.samediff.adapters.memory;

import com.sun.jna.Platform;
import org.bytedeco.javacpp.BytePointer;

/**
 * Memory outside of the Java heap. On Linux, large pieces ask for pages of 2 MB: products read so many rows at a time that the
 * addresses of 4 KB pages do not stay in the processor, which costs some 3 % of their speed.
 */
public final class NativeBlock implements AutoCloseable {
    private static final long PAGE = 2L << 20;
    private static final long ALIGNMENT = 64;

    private final BytePointer memory;
    private final long address;

    /**
     * Allocates.
     *
     * @param bytes how many
     * @throws OutOfMemoryError if there is not so much
     */
    public NativeBlock(long bytes) {
        boolean large = bytes >= 2 * PAGE;
        long alignment = large ? PAGE : ALIGNMENT;
        memory = new BytePointer(bytes + alignment);
        address = (memory.address() + alignment - 1) / alignment * alignment;
        if (large && Platform.isLinux()) {
            LibC.advise(address, bytes / PAGE * PAGE, LibC.MADV_HUGEPAGE); // only a wish
        }
    }

    /** Returns the address of the first byte, a multiple of 64. */
    public long address() {
        return address;
    }

    /**
     * Gives memory that was freed back to the system, where the C library can: after import and injection it would keep
     * hundreds of megabytes for itself.
     */
    public static void trim() {
        if (Platform.isLinux()) {
            LibC.trim();
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
