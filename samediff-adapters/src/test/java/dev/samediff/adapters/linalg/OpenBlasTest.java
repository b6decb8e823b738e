package dev.samediff.adapters.linalg;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;

/**
 * ND4J 1.0.0-M2.1 asks for OpenBLAS 0.3.19, which does not know processors newer than 2021 and falls back to kernels
 * that are about five times slower in GEMM. The parent pom forces 0.3.30; this test fails if that is ever lost.
 */
class OpenBlasTest {
    @Test
    void the_forced_openblas_is_the_one_that_is_loaded() throws Exception {
        Nd4j.create(1); // the backend first, as in an application
        assertThat(OpenBlas.config()).startsWith("OpenBLAS 0.3.30");
        assertThat(OpenBlas.coreName()).isNotBlank();
        assertThat(Loader.getVersion("org.bytedeco", "javacpp")).isEqualTo("1.5.12");
    }
}
