package dev.samediff.samples.machine;

import java.nio.file.Files;
import java.nio.file.Path;

/** Whether a GPU could be used. */
final class Cuda {
    private static final String BACKEND = "org.nd4j.linalg.jcublas.JCublasBackend";
    private static final Path DRIVER = Path.of("/proc/driver/nvidia/version");

    private Cuda() {}

    /** Returns one sentence. */
    static String state() {
        String driver = Files.exists(DRIVER) ? "an NVIDIA driver is installed" : "no NVIDIA driver found";
        return hasBackend()
                ? "ND4J's CUDA backend is on the class path; " + driver
                : "not on the class path (build with -Pcuda); " + driver;
    }

    static boolean hasBackend() {
        try {
            Class.forName(BACKEND, false, Cuda.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }
}
