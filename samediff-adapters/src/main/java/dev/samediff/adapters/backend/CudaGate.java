package dev.samediff.adapters.backend;

/**
 * Says whether ND4J's CUDA backend can be used here. ND4J itself counts devices only: on one it has no machine code for
 * it fails at the first operation, with {@code cudaGetSymbolAddress(...) failed; Error code: [13]} or {@code [209]}.
 */
public final class CudaGate {
    private CudaGate() {}

    /** Returns whether ND4J's CUDA backend is on the class path, usable or not. */
    public static boolean isBackendPresent() {
        return CudaProbe.isOnClassPath(CudaGate.class.getClassLoader());
    }

    /** Looks at this machine, once per process; no class of ND4J is initialised. */
    public static CudaVerdict verdict() {
        return Once.VERDICT;
    }

    /** A binding that failed to load cannot be asked twice. */
    private static final class Once {
        static final CudaVerdict VERDICT =
                new CudaProbe(CudaGate.class.getClassLoader()).look().verdict();
    }
}
