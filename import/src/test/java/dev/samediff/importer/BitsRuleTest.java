package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.testing.LenientEquality;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@link LenientEquality} over this module's tests. */
class BitsRuleTest {
    @Test
    void no_test_compares_arrays_by_an_equality_that_tolerates_differences() {
        assertThat(LenientEquality.in(Path.of("src/test/java")))
                .as("use Bits.assertThatBits, or a tolerance of its own (1e-5 is INDArray.equals')")
                .isEmpty();
    }
}
