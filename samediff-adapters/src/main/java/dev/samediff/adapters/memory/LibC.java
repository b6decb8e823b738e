package dev.samediff.adapters.memory;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.file.Path;

/** What Linux's C library does with memory. */
final class LibC {
    static final int MADV_DONTNEED = 4;
    static final int MADV_HUGEPAGE = 14;
    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x80000;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_NORESERVE = 0x4000;
    private static final int EINTR = 4;

    static {
        Native.register("c");
    }

    private LibC() {}

    private static native int madvise(Pointer start, NativeLong length, int advice);

    static void advise(long address, long bytes, int advice) {
        madvise(new Pointer(address), new NativeLong(bytes), advice);
    }

    private static native int open(String path, int flags) throws LastErrorException;

    private static native int close(int file);

    private static native int posix_fallocate(int file, NativeLong offset, NativeLong length);

    private static native Pointer mmap(
            Pointer start, NativeLong length, int protection, int flags, int file, NativeLong offset)
            throws LastErrorException;

    private static native int munmap(Pointer start, NativeLong length);

    private static native String strerror(int error);

    /**
     * Gives a file its size, with all its blocks, and maps it, to be read and written.
     *
     * @return the address
     * @throws IOException if the disk is full, or the file system cannot do it
     */
    static long map(Path file, long bytes) throws IOException {
        try {
            int opened = open(file.toString(), O_RDWR | O_CLOEXEC);
            try {
                int error;
                do { // a signal to the virtual machine may interrupt it
                    error = posix_fallocate(opened, new NativeLong(0), new NativeLong(bytes));
                } while (error == EINTR);
                if (error != 0) {
                    throw new IOException(strerror(error));
                }
                return Pointer.nativeValue(mmap(
                        Pointer.NULL, new NativeLong(bytes), PROT_READ_WRITE, MAP_SHARED, opened, new NativeLong(0)));
            } finally {
                close(opened);
            }
        } catch (LastErrorException e) {
            throw new IOException(strerror(e.getErrorCode()), e);
        }
    }

    /**
     * Returns the address of zeros that take no memory until they are written.
     *
     * @throws IOException if there is no room among the addresses of the process
     */
    static long reserve(long bytes) throws IOException {
        try {
            return Pointer.nativeValue(mmap(
                    Pointer.NULL,
                    new NativeLong(bytes),
                    PROT_READ_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1,
                    new NativeLong(0)));
        } catch (LastErrorException e) {
            throw new IOException(strerror(e.getErrorCode()), e);
        }
    }

    /** Takes a mapping back. */
    static void unmap(long address, long bytes) {
        munmap(new Pointer(address), new NativeLong(bytes));
    }

    /** Does nothing with a C library other than GNU's. */
    static void trim() {
        try {
            NativeLibrary.getInstance("c").getFunction("malloc_trim").invokeInt(new Object[] {new NativeLong(0)});
        } catch (UnsatisfiedLinkError e) {
            return; // musl gives memory back by itself
        }
    }
}
