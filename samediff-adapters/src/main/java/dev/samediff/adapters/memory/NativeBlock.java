package dev.samediff.adapters.memory;

import com.sun.jna.Platform;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Memory outside of the Java heap, not set to anything. On Linux, large pieces ask for pages of 2 MB: products read so many
 * rows at a time that the addresses of 4 KB pages do not stay in the processor, which costs some 3 % of their speed.
 *
 * <p>It is given back by {@link #close}, or when neither this nor an array made of it is referred to any more.
 */
public final class NativeBlock implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();
    private static final AtomicLong TOTAL = new AtomicLong();
    private static final long PAGE = 2L << 20;
    private static final long ALIGNMENT = 64;
    private static final long SECOND = 1_000_000_000;
    private static final AtomicLong TRIMMED = new AtomicLong(System.nanoTime() - 2 * SECOND);

    private final long bytes;
    private final long address;
    private final Cleaner.Cleanable owner;

    /**
     * Allocates.
     *
     * @param bytes how many
     * @throws OutOfMemoryError if there is not so much
     */
    public NativeBlock(long bytes) {
        boolean large = bytes >= 2 * PAGE;
        long alignment = large ? PAGE : ALIGNMENT;
        Pointer memory = Pointer.malloc(bytes + alignment);
        if (memory == null || memory.isNull()) {
            throw new OutOfMemoryError("no " + bytes + " bytes of memory outside of the Java heap are left");
        }
        this.bytes = bytes;
        address = (memory.address() + alignment - 1) / alignment * alignment;
        TOTAL.addAndGet(bytes);
        owner = CLEANER.register(this, () -> {
            Pointer.free(memory);
            TOTAL.addAndGet(-bytes);
        });
        if (large && Platform.isLinux()) {
            LibC.advise(address, bytes / PAGE * PAGE, LibC.MADV_HUGEPAGE); // only a wish
        }
    }

    /** Returns the bytes that all blocks of this process hold now; JavaCPP does not count them. */
    public static long totalBytes() {
        return TOTAL.get();
    }

    /** Returns the address of the first byte, a multiple of 64. */
    public long address() {
        return address;
    }

    /** Returns how many bytes there are. */
    public long bytes() {
        return bytes;
    }

    /** Returns bytes from an offset on; they are not kept from being given back. */
    public BytePointer part(long offset, long count) {
        return new Part(address + offset, count);
    }

    /**
     * Returns an array in row-major order whose numbers these are, for the CPU backend. The memory lives as long as it.
     *
     * @param type of the numbers
     * @param shape of as many numbers as the memory has room for
     */
    public INDArray asArray(DataType type, long... shape) {
        INDArray array = HostMemory.array(address, type, shape, Nd4j.getStrides(shape, 'c'));
        CLEANER.register(array.data(), this::close);
        return array;
    }

    /** Returns a copy of a FLOAT array of the CPU backend, in row-major order, in memory of its own. */
    public static INDArray copyOf(INDArray array) {
        INDArray source = array.ordering() == 'c' && !array.isView() ? array : array.dup('c');
        NativeBlock block = new NativeBlock(array.length() * Float.BYTES);
        try {
            Pointer.memcpy(block.part(0, block.bytes), source.data().addressPointer(), block.bytes);
        } finally {
            Reference.reachabilityFence(source);
        }
        return block.asArray(DataType.FLOAT, array.shape());
    }

    /**
     * Gives memory that was freed back to the system, where the C library can: after import and injection it would keep
     * hundreds of megabytes for itself. Looking through a large heap takes tens of milliseconds, so this does nothing within a
     * second of the last time.
     */
    public static void trim() {
        long now = System.nanoTime();
        long last = TRIMMED.get();
        if (Platform.isLinux() && now - last > SECOND && TRIMMED.compareAndSet(last, now)) {
            LibC.trim();
        }
    }

    @Override
    public void close() {
        owner.clean();
    }

    private static final class Part extends BytePointer {
        Part(long address, long count) {
            super((Pointer) null);
            this.address = address;
            this.limit = count;
            this.capacity = count;
        }
    }
}
