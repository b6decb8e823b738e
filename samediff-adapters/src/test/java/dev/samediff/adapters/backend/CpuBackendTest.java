package dev.samediff.adapters.backend;

import org.junit.jupiter.api.condition.DisabledIf;

/** The contract where this process computes on the CPU too: it keeps the comparison itself honest without a device. */
@DisabledIf(value = "isDeviceUsed", disabledReason = "this process computes on a device; GpuBackendTest compares it")
class CpuBackendTest extends BackendContract {
    static boolean isDeviceUsed() {
        return CudaGate.verdict().usable();
    }
}
