package dev.samediff.adapters.backend;

import java.util.Locale;
import java.util.Optional;

/** What {@link CudaProbe} found, and what follows from it. */
sealed interface CudaFinding {
    /** Name of the driver's library, on Linux and on Windows. */
    String DRIVER_LIBRARIES = "(libcuda\\.so\\..*|nvcuda\\.dll)";

    /** Returns the judgement. */
    CudaVerdict verdict();

    /** ND4J's CUDA backend is not part of this program. */
    record NotOnClassPath() implements CudaFinding {
        @Override
        public CudaVerdict verdict() {
            return CudaVerdict.no("ND4J's CUDA backend is not on the class path; build with -Pcuda");
        }
    }

    /**
     * A library does not load.
     *
     * @param name its file name, or what the system says of it
     */
    record MissingLibrary(String name) implements CudaFinding {
        @Override
        public CudaVerdict verdict() {
            return name.matches(DRIVER_LIBRARIES)
                    ? CudaVerdict.no("there is no NVIDIA driver (" + name + " does not load); install one")
                    : CudaVerdict.no(name
                            + " does not load; install CUDA 11.6, or build with -Pcuda,cuda-redist, which brings it");
        }
    }

    /** The libraries did not load when ND4J was started, before this was asked. */
    record FailedBefore() implements CudaFinding {
        @Override
        public CudaVerdict verdict() {
            return CudaVerdict.no(
                    "its libraries did not load when ND4J was started in this process; ask before ND4J is used,"
                            + " as `samples/run doctor` does, to learn which one");
        }
    }

    /**
     * The runtime finds no device.
     *
     * @param status what {@code cudaGetDeviceCount} returned
     */
    record NoDevice(int status) implements CudaFinding {
        private static final int INSUFFICIENT_DRIVER = 35;

        @Override
        public CudaVerdict verdict() {
            return status == INSUFFICIENT_DRIVER
                    ? CudaVerdict.no("the NVIDIA driver is older than CUDA 11 needs; update it")
                    : CudaVerdict.no("the NVIDIA driver finds no device (cudaGetDeviceCount returned " + status
                            + "); check nvidia-smi and CUDA_VISIBLE_DEVICES");
        }
    }

    /**
     * The device ND4J would use.
     *
     * @param name its name
     * @param capability its instruction set
     * @param freeBytes free memory on it
     * @param totalBytes memory on it
     * @param missing a library that ND4J needs and that does not load
     */
    record Device(
            String name,
            ComputeCapability capability,
            long freeBytes,
            long totalBytes,
            Optional<MissingLibrary> missing)
            implements CudaFinding {
        private static final double GIGABYTE = 1e9;

        @Override
        public CudaVerdict verdict() {
            if (!capability.isSupported()) {
                return CudaVerdict.no("device 0 (" + name + ") has compute capability " + capability
                        + ", and nd4j-cuda-11.6 1.0.0-M2.1 has machine code for " + ComputeCapability.compiled()
                        + " only, which runs on 3.7 and 5.0 to 8.9; there is no newer build");
            }
            return missing.map(MissingLibrary::verdict)
                    .orElseGet(() -> CudaVerdict.yes(String.format(
                            Locale.ROOT,
                            "device 0 is %s, compute capability %s, %.1f of %.1f GB free",
                            name,
                            capability,
                            freeBytes / GIGABYTE,
                            totalBytes / GIGABYTE)));
        }
    }
}
