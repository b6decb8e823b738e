package dev.samediff.adapters.backend;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import org.nd4j.linalg.api.environment.Nd4jEnvironment;
import org.nd4j.linalg.factory.Nd4j;

/** Memory of the device on which ND4J computes. */
public final class DeviceMemory {
    /**
     * What is said when there is none left: by ND4J's Java side ({@code OpaqueDataBuffer}, {@code CudaMemoryManager}), by
     * libnd4jcuda.so, and by CUDA.
     */
    private static final List<String> EXHAUSTED = List.of(
            "allocation failed: [",
            "from device [",
            "[device] allocation failed",
            "can't allocate [device] memory",
            "cannot allocate global memory on device",
            "out of memory");

    private DeviceMemory() {}

    /** Returns the free bytes of the device, or nothing if ND4J computes on the CPU. Initialises ND4J. */
    public static OptionalLong free() {
        Object devices =
                Nd4j.getExecutioner().getEnvironmentInformation().get(Nd4jEnvironment.CUDA_DEVICE_INFORMATION_KEY);
        if (devices instanceof List<?> list
                && !list.isEmpty()
                && list.get(0) instanceof Map<?, ?> device
                && device.get(Nd4jEnvironment.CUDA_FREE_MEMORY_KEY) instanceof Number free) {
            return OptionalLong.of(free.longValue());
        }
        return OptionalLong.empty();
    }

    /** Returns whether a failure, or one behind it, says that no device memory was left. */
    public static boolean isExhausted(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String message = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
            if (!(cause instanceof OutOfMemoryError) && EXHAUSTED.stream().anyMatch(message::contains)) {
                return true;
            }
        }
        return false;
    }
}
