package dev.samediff.adapters.memory;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;

/** What Linux's C library does with memory. */
final class LibC {
    static final int MADV_DONTNEED = 4;
    static final int MADV_HUGEPAGE = 14;

    static {
        Native.register("c");
    }

    private LibC() {}

    private static native int madvise(Pointer start, NativeLong length, int advice);

    static void advise(long address, long bytes, int advice) {
        madvise(new Pointer(address), new NativeLong(bytes), advice);
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
