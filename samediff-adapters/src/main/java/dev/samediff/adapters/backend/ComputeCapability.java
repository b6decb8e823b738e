package dev.samediff.adapters.backend;

import java.util.List;
import java.util.stream.Collectors;

/**
 * NVIDIA's number for the instruction set of a device, such as 8.6.
 *
 * @param major its generation; machine code of another generation does not run
 * @param minor its version; machine code of a higher version does not run
 */
record ComputeCapability(int major, int minor) {
    /** Those with machine code in libnd4jcuda.so of nd4j-cuda-11.6 1.0.0-M2.1, which has no PTX to translate for others. */
    private static final List<ComputeCapability> COMPILED = List.of(
            new ComputeCapability(3, 7),
            new ComputeCapability(5, 0),
            new ComputeCapability(5, 2),
            new ComputeCapability(6, 0),
            new ComputeCapability(6, 1),
            new ComputeCapability(7, 0),
            new ComputeCapability(7, 5),
            new ComputeCapability(8, 0),
            new ComputeCapability(8, 6));

    /** Returns whether ND4J's CUDA backend has machine code that runs on such a device. */
    boolean isSupported() {
        return COMPILED.stream().anyMatch(code -> code.major == major && code.minor <= minor);
    }

    /** Returns the capabilities that have machine code, for people. */
    static String compiled() {
        return COMPILED.stream().map(ComputeCapability::toString).collect(Collectors.joining(", "));
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
