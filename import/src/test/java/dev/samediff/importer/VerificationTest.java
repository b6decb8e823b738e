package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class VerificationTest {
    private static final INDArray REFERENCE = Nd4j.createFromArray(new float[][] {{1, -4}, {0.5f, 2}});

    private static Verification.Comparison compare(INDArray expected, INDArray actual) {
        return Verification.Comparison.of("batch = 2", "logits", expected, actual);
    }

    @Test
    void differences_are_absolute_and_relative_to_the_largest_entry() {
        Verification.Comparison comparison = compare(REFERENCE, REFERENCE.add(0.5));
        assertThat(comparison.absolute()).isEqualTo(0.5);
        assertThat(comparison.relative()).isEqualTo(0.125);
    }

    @Test
    void different_shapes_differ_infinitely_and_are_shown() {
        Verification.Comparison comparison = compare(REFERENCE, REFERENCE.reshape(4));
        assertThat(comparison.absolute()).isInfinite();
        assertThat(new Verification(1e-4, List.of(comparison)).toString()).contains("[2, 2], but [4] imported");
    }

    @Test
    void a_number_against_nan_differs_infinitely_and_two_nan_do_not_differ() {
        INDArray nan = REFERENCE.dup();
        nan.putScalar(0, 1, Float.NaN);
        assertThat(compare(REFERENCE, nan).absolute()).isInfinite();
        assertThat(compare(nan, REFERENCE).absolute()).isInfinite();
        assertThat(compare(nan, nan).absolute()).isZero();
    }

    @Test
    void equal_infinities_do_not_differ_and_opposite_ones_do() {
        INDArray infinite = REFERENCE.dup();
        infinite.putScalar(0, 0, Float.NEGATIVE_INFINITY);
        assertThat(compare(infinite, infinite.dup()).absolute()).isZero();
        assertThat(compare(infinite, infinite.neg()).absolute()).isInfinite();
    }

    @Test
    void the_worst_output_is_named_and_decides() {
        Verification verification = new Verification(
                1e-4,
                List.of(
                        compare(REFERENCE, REFERENCE),
                        Verification.Comparison.of("batch = 2", "present.0.key", REFERENCE, REFERENCE.add(0.25))));
        assertThat(verification.passed()).isFalse();
        assertThat(verification.worst().output()).isEqualTo("present.0.key");
        assertThat(verification.toString())
                .contains("FAILED: largest difference 0.250 in present.0.key, tolerance 0.000100");
    }
}
