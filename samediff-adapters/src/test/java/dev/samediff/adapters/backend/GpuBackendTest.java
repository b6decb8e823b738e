package dev.samediff.adapters.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.testing.RequiresGpu;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** The contract on a CUDA device, and what only a device does. */
@RequiresGpu
class GpuBackendTest extends BackendContract {
    @Test
    void nd4j_computes_on_the_device() {
        assertThat(Nd4j.getBackend().getClass().getSimpleName()).isEqualTo("JCublasBackend");
        assertThat(Backend.CUDA.select().cuda()).isTrue();
    }

    @Test
    void a_used_up_device_is_recognised() {
        long floats = DeviceMemory.free().orElseThrow() / 2; // twice as many bytes as are free
        assertThatThrownBy(() -> Nd4j.createUninitialized(DataType.FLOAT, floats))
                .matches(DeviceMemory::isExhausted);
    }
}
