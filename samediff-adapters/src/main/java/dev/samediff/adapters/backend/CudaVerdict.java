package dev.samediff.adapters.backend;

/**
 * Whether ND4J's CUDA backend can be used in this process.
 *
 * @param usable whether it can
 * @param sentence why, or why not and what to do
 */
public record CudaVerdict(boolean usable, String sentence) {
    static CudaVerdict yes(String what) {
        return new CudaVerdict(true, "CUDA is usable: " + what);
    }

    static CudaVerdict no(String reason) {
        return new CudaVerdict(false, "CUDA is not usable: " + reason);
    }
}
