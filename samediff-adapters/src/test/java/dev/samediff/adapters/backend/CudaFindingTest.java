package dev.samediff.adapters.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rule, without a device. */
class CudaFindingTest {
    private static CudaFinding device(int major, int minor, Optional<String> missing) {
        return new CudaFinding.Device(
                "NVIDIA T4",
                new ComputeCapability(major, minor),
                15_000_000_000L,
                16_000_000_000L,
                missing.map(CudaFinding.MissingLibrary::new));
    }

    @ParameterizedTest
    @CsvSource({"3,7", "5,0", "5,3", "6,0", "6,2", "7,0", "7,2", "7,5", "8,0", "8,6", "8,7", "8,9"})
    void devices_with_machine_code_of_their_generation_are_usable(int major, int minor) {
        CudaVerdict verdict = device(major, minor, Optional.empty()).verdict();
        assertThat(verdict.usable()).as(verdict.sentence()).isTrue();
        assertThat(verdict.sentence())
                .isEqualTo("CUDA is usable: device 0 is NVIDIA T4, compute capability " + major + "." + minor
                        + ", 15.0 of 16.0 GB free");
    }

    @ParameterizedTest
    @CsvSource({"2,1", "3,0", "3,5", "9,0", "10,0", "12,0"})
    void other_devices_are_refused_with_the_list_that_works(int major, int minor) {
        CudaVerdict verdict = device(major, minor, Optional.empty()).verdict();
        assertThat(verdict.usable()).isFalse();
        assertThat(verdict.sentence())
                .contains("NVIDIA T4", "compute capability " + major + "." + minor)
                .contains("3.7, 5.0, 5.2, 6.0, 6.1, 7.0, 7.5, 8.0, 8.6");
    }

    @Test
    void a_missing_library_is_named_unless_the_device_does_not_fit_anyway() {
        assertThat(device(8, 6, Optional.of("libcublas.so.11")).verdict())
                .isEqualTo(new CudaVerdict(
                        false,
                        "CUDA is not usable: libcublas.so.11 does not load; install CUDA 11.6, or build with"
                                + " -Pcuda,cuda-redist, which brings it"));
        assertThat(device(9, 0, Optional.of("libcublas.so.11")).verdict().sentence())
                .contains("9.0")
                .doesNotContain("libcublas");
    }

    @ParameterizedTest
    @ValueSource(strings = {"libcuda.so.1", "nvcuda.dll"})
    void a_missing_driver_is_told_from_a_missing_library(String library) {
        assertThat(new CudaFinding.MissingLibrary(library).verdict().sentence())
                .isEqualTo(
                        "CUDA is not usable: there is no NVIDIA driver (" + library + " does not load); install one");
    }

    @Test
    void an_old_driver_is_told_from_a_machine_without_a_device() {
        assertThat(new CudaFinding.NoDevice(100).verdict().sentence())
                .contains("finds no device", "returned 100", "nvidia-smi");
        assertThat(new CudaFinding.NoDevice(35).verdict().sentence()).contains("driver is older", "update");
    }

    @Test
    void a_program_without_the_backend_is_told_how_to_get_it() {
        assertThat(new CudaFinding.NotOnClassPath().verdict())
                .isEqualTo(new CudaVerdict(
                        false, "CUDA is not usable: ND4J's CUDA backend is not on the class path; build with -Pcuda"));
    }
}
