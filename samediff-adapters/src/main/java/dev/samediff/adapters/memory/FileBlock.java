package dev.samediff.adapters.memory;

import java.io.IOException;
import java.lang.ref.Cleaner;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Memory outside of the Java heap that is a file without a name: pages that nobody reads can be given back, and come again from the
 * file. All blocks of the file are there before it is mapped, so a full disk is found out here and not at an access. The file is deleted as
 * soon as it is open; its blocks are gone with the mapping, or with the process, however that ends.
 *
 * <p>It is given back by {@link #close}, or when neither this nor an array made of it is referred to any more.
 */
public final class FileBlock implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();
    private static final long PAGE = 1 << 16; // the largest of any processor

    private final Path directory;
    private final long bytes;
    private final long address;
    private final Cleaner.Cleanable owner;

    /**
     * Makes a file and maps it; its bytes are 0. Linux only.
     *
     * @param bytes how many, 1 or more
     * @param directory where the file is made
     * @throws IOException if there is no room for them, or no file can be made there
     */
    FileBlock(long bytes, Path directory) throws IOException {
        Path file = Files.createTempFile(directory, "weights", ".bin");
        long start;
        try {
            start = LibC.map(file, bytes);
        } finally {
            Files.deleteIfExists(file);
        }
        this.directory = directory;
        this.bytes = bytes;
        this.address = start;
        FileBackedArrays.register(start, new FileBackedArrays.Mapped(bytes, directory));
        this.owner = CLEANER.register(this, () -> {
            FileBackedArrays.forget(start);
            LibC.unmap(start, bytes);
        });
    }

    /** Returns the folder that the file was made in. */
    Path directory() {
        return directory;
    }

    /** Returns the address of the first byte, that of a page. */
    public long address() {
        return address;
    }

    /** Returns how many bytes there are. */
    public long bytes() {
        return bytes;
    }

    /** Returns bytes from an offset on; they are not kept from being given back. */
    public Pointer part(long offset, long count) {
        return HostMemory.bytes(address + offset, count);
    }

    /**
     * Gives the memory of whole pages back until they are read again; nothing is lost.
     *
     * @param from offset of the first byte
     * @param to offset behind the last one
     */
    public void release(long from, long to) {
        long first = (from + PAGE - 1) / PAGE * PAGE;
        long last = to == bytes ? bytes : to / PAGE * PAGE;
        if (last > first) {
            LibC.advise(address + first, last - first, LibC.MADV_DONTNEED); // of a shared mapping: nothing is lost
        }
    }

    /**
     * Returns a FLOAT array in row-major order whose numbers these are, for the CPU backend. The memory lives as long as it.
     *
     * @param shape of as many numbers as there is room for
     */
    public INDArray asArray(long... shape) {
        INDArray array = HostMemory.array(address, DataType.FLOAT, shape, Nd4j.getStrides(shape, 'c'));
        CLEANER.register(array.data(), this::close);
        return array;
    }

    @Override
    public void close() {
        owner.clean();
    }
}
