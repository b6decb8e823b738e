package dev.samediff.adapters.backend;

import dev.samediff.adapters.InvalidInputException;
import org.nd4j.common.config.ND4JClassLoading;
import org.nd4j.linalg.factory.Nd4j;

/** Makes ND4J choose a backend. Priorities can only be set in the environment, so a backend that must not be is hidden. */
final class BackendSelection {
    private BackendSelection() {}

    static synchronized BackendChoice select(Backend wanted) {
        boolean choosable = CudaGate.isBackendPresent();
        if (wanted == Backend.CPU) {
            return cpu(choosable, "computing on the CPU");
        }
        CudaVerdict verdict = CudaGate.verdict();
        if (verdict.usable()) {
            return cuda(wanted, verdict);
        }
        if (wanted == Backend.CUDA) {
            throw new InvalidInputException(verdict.sentence() + "; the backend auto computes on the CPU then");
        }
        return cpu(choosable, "computing on the CPU. " + verdict.sentence());
    }

    private static BackendChoice cpu(boolean choosable, String sentence) {
        if (choosable) {
            hideCuda();
            if (running().equals(CudaProbe.BACKEND)) {
                throw new IllegalStateException(
                        "ND4J computes with CUDA in this process already; select the backend before"
                                + " anything of ND4J is used");
            }
        }
        return new BackendChoice(false, sentence);
    }

    private static BackendChoice cuda(Backend wanted, CudaVerdict verdict) {
        String running = running();
        if (running.equals(CudaProbe.BACKEND)) {
            return new BackendChoice(true, "computing with CUDA. " + verdict.sentence());
        }
        String surprise = verdict.sentence() + "; but ND4J computes with " + running
                + ": it was used before the backend was selected, or BACKEND_PRIORITY_CPU is set in the environment";
        if (wanted == Backend.CUDA) {
            throw new IllegalStateException(surprise);
        }
        return new BackendChoice(false, "computing on the CPU. " + surprise);
    }

    private static void hideCuda() {
        ClassLoader loader = ND4JClassLoading.getNd4jClassloader();
        if (!(loader instanceof BackendFilter)) {
            ND4JClassLoading.setNd4jClassloader(
                    new BackendFilter(loader == null ? ClassLoader.getSystemClassLoader() : loader, CudaProbe.BACKEND));
        }
    }

    /** Name of the backend's class; initialises ND4J. */
    private static String running() {
        return Nd4j.getBackend().getClass().getName();
    }
}
