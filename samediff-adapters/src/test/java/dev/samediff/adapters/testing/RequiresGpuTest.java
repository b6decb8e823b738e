package dev.samediff.adapters.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.backend.CudaVerdict;
import org.junit.jupiter.api.Test;

class RequiresGpuTest {
    private static final CudaVerdict NONE = new CudaVerdict(false, "no device");

    @Test
    void without_a_device_tests_are_skipped_with_the_reason_or_fail_if_one_is_required() {
        var skipped = RequiresGpu.Condition.judge(NONE, false);
        assertThat(skipped.isDisabled()).isTrue();
        assertThat(skipped.getReason()).contains("no device");
        assertThatThrownBy(() -> RequiresGpu.Condition.judge(NONE, true))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("no device");
        assertThat(RequiresGpu.Condition.judge(new CudaVerdict(true, "a device"), true)
                        .isDisabled())
                .isFalse();
    }
}
