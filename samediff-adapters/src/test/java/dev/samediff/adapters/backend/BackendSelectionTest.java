package dev.samediff.adapters.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.samediff.adapters.testing.ForkedJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each choice in a process of its own: with this class path, and on machines with stand-ins for CUDA. */
class BackendSelectionTest {
    @TempDir
    static Path standIn;

    @BeforeAll
    static void compile() throws IOException {
        StandInCuda.compileInto(standIn);
    }

    private static ForkedJvm machine(String... properties) {
        return new ForkedJvm().before(standIn).with(properties);
    }

    private static String select(ForkedJvm jvm, String... arguments) throws IOException, InterruptedException {
        return jvm.run(BackendProgram.class, arguments).strip();
    }

    @Test
    void without_a_usable_device_this_class_path_computes_on_the_cpu() throws Exception {
        CudaVerdict verdict = CudaGate.verdict();
        assumeFalse(verdict.usable(), "a device is here");
        assertThat(select(new ForkedJvm(), "auto"))
                .isEqualTo("computing on the CPU. " + verdict.sentence() + "\nCpuBackend computes 10");
        assertThat(select(new ForkedJvm(), "cuda")).startsWith(BackendProgram.REFUSED + verdict.sentence());
    }

    @Test
    void auto_computes_on_the_cpu_beside_a_device_that_nd4j_would_take_and_cannot_use() throws Exception {
        assertThat(select(machine("-Dcuda.capability=9.0"), "auto"))
                .startsWith("computing on the CPU. CUDA is not usable: device 0 (Stand-in) has compute capability 9.0")
                .endsWith("CpuBackend computes 10");
    }

    @Test
    void the_cpu_computes_beside_a_usable_device_if_it_is_asked_for() throws Exception {
        assertThat(select(machine("-Dcuda.capability=8.6"), "cpu"))
                .isEqualTo("computing on the CPU\nCpuBackend computes 10");
    }

    @Test
    void a_backend_that_the_environment_prefers_is_reported() throws Exception {
        ForkedJvm jvm = machine("-Dcuda.capability=8.6").in(Map.of("BACKEND_PRIORITY_CPU", "200"));
        assertThat(select(jvm, "auto", "late"))
                .contains("CUDA is usable: device 0 is Stand-in, compute capability 8.6, 7.5 of 8.0 GB free")
                .contains("BACKEND_PRIORITY_CPU")
                .endsWith("CpuBackend computes 10");
    }

    @Test
    void a_gate_that_is_asked_too_late_for_a_reason_says_so() throws Exception {
        assertThat(select(machine("-Dcuda.missing.cudart=libcuda.so.1"), "auto", "late"))
                .contains("did not load when ND4J was started in this process")
                .endsWith("CpuBackend computes 10");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-Dcuda.missing.cudart=libcuda.so.1                        | there is no NVIDIA driver (libcuda.so.1",
                "-Dcuda.missing.cudart=libcudart.so.11.0                   | libcudart.so.11.0 does not load",
                "-Dcuda.status=100                                         | the NVIDIA driver finds no device",
                "-Dcuda.capability=3.5                                     | has compute capability 3.5",
                "-Dcuda.capability=7.5 -Dcuda.missing.cublas=libcublas.so.11     | libcublas.so.11 does not load",
                "-Dcuda.capability=7.5 -Dcuda.missing.cusolver=libcusolver.so.11 | libcusolver.so.11 does not load"
            })
    void cuda_is_refused_with_the_reason(String properties, String reason) throws Exception {
        assertThat(select(machine(properties.strip().split(" ")), "cuda"))
                .startsWith(BackendProgram.REFUSED + "CUDA is not usable: ")
                .contains(reason.strip());
    }
}
