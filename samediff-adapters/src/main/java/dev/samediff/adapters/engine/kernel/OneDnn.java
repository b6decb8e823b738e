package dev.samediff.adapters.engine.kernel;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.io.File;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * oneDNN in this process: whether it is there, what it makes of this processor, its threads.
 *
 * <p>Threads belong to the OpenMP library that oneDNN was loaded with. OpenMP keeps their number per calling thread; kernels
 * apply the number they were made for to whatever thread they run on.
 */
public final class OneDnn {
    private static final String[] LIBRARY_NAMES = {"libdnnl.so.3", "libdnnl.3.dylib", "dnnl.dll"};
    /** The threads of kernels that are being made. */
    private static final ThreadLocal<@Nullable Integer> CHOSEN = new ThreadLocal<>();

    private OneDnn() {}

    /** Returns whether kernels can be made; if not, {@link #reason} says why. */
    public static boolean isAvailable() {
        return Availability.FAILURE == null;
    }

    /** Returns in one sentence why oneDNN cannot be used; empty if it can. */
    public static String reason() {
        return Availability.FAILURE == null ? "" : Availability.FAILURE;
    }

    /**
     * Returns the instruction set that oneDNN makes its code for, such as {@code "avx512_core_bf16"}.
     *
     * @throws IllegalStateException if oneDNN is not available
     */
    public static String isa() {
        require();
        return Dnnl.isa();
    }

    /**
     * Returns the version, such as {@code "3.8.1"}.
     *
     * @throws IllegalStateException if oneDNN is not available
     */
    public static String version() {
        require();
        return Dnnl.version();
    }

    /** Returns whether the processor multiplies BFLOAT16 natively (AVX512-BF16 or AMX). */
    public static boolean supportsBf16() {
        return isAvailable() && isa().matches("avx512_core_(bf16|fp16|amx.*)|avx10.*");
    }

    /**
     * Returns the number of threads a kernel made now would use: that of {@link #with}, or OpenMP's own.
     *
     * @throws IllegalStateException if oneDNN is not available
     */
    public static int threads() {
        require();
        Integer chosen = CHOSEN.get();
        int count = chosen == null ? Availability.THREADS : chosen;
        use(count);
        return count;
    }

    /**
     * Makes kernels that compute with a number of threads. Kernels divide their work when they are made.
     *
     * @param <T> what is made
     * @param count at least 1
     * @param made makes it
     * @throws IllegalArgumentException if the count is below 1
     * @throws IllegalStateException if oneDNN is not available
     */
    public static <T> T with(int count, Supplier<T> made) {
        if (count < 1) {
            throw new IllegalArgumentException("oneDNN needs at least 1 thread, asked for " + count);
        }
        require();
        Integer before = CHOSEN.get();
        CHOSEN.set(count);
        try {
            use(count);
            return made.get();
        } finally {
            if (before == null) {
                CHOSEN.remove();
            } else {
                CHOSEN.set(before);
            }
            use(threads());
        }
    }

    /**
     * Makes kernels for work so small that waking other threads costs more than they save.
     *
     * @param <T> what is made
     * @param single whether what is made is to compute on the calling thread alone
     * @param made makes it
     */
    static <T> T limited(boolean single, Supplier<T> made) {
        return single ? with(1, made) : made.get();
    }

    /** Makes OpenMP use this many threads for the calling thread, whoever has set another number before. */
    static void use(int count) {
        OpenMp.omp_set_num_threads(count);
    }

    static void require() {
        if (!isAvailable()) {
            throw new IllegalStateException(reason());
        }
    }

    private static final class Availability {
        static int THREADS = 1;
        static final @Nullable String FAILURE = failure();

        private static @Nullable String failure() {
            try {
                Dnnl.isa();
                THREADS = OpenMp.omp_get_max_threads();
                return null;
            } catch (LinkageError | RuntimeException e) {
                return "oneDNN cannot be used here: " + e + "; org.bytedeco:dnnl and org.bytedeco:opencl with the"
                        + " classifier of this platform must be on the class path (there is none for macosx-arm64)";
            }
        }
    }

    /** The OpenMP library that oneDNN was loaded with, found as a dependency of oneDNN's own library where possible. */
    private static final class OpenMp {
        static {
            Native.register(OpenMp.class, library());
        }

        static native void omp_set_num_threads(int count);

        static native int omp_get_max_threads();

        private static NativeLibrary library() {
            File directory = Dnnl.directory();
            for (String name : LIBRARY_NAMES) {
                File file = new File(directory, name);
                if (file.exists()) {
                    // Windows looks for symbols in a library alone; there OpenMP is the compiler's.
                    return NativeLibrary.getInstance(name.endsWith(".dll") ? "vcomp140" : file.getPath());
                }
            }
            throw new IllegalStateException(
                    "no oneDNN library in " + directory + "; expected one of " + String.join(", ", LIBRARY_NAMES));
        }
    }
}
