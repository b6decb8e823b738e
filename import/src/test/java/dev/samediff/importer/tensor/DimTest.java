package dev.samediff.importer.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class DimTest {
    private final Dim batch = Dim.symbol("batch");
    private final Dim sequence = Dim.symbol("sequence");

    @Test
    void sums_and_products_of_symbols_are_compared_by_value() {
        Dim left = batch.plus(Dim.of(2)).times(sequence);
        Dim right = sequence.times(batch).plus(sequence).plus(sequence);
        assertThat(left).isEqualTo(right).hasSameHashCodeAs(right);
        assertThat(left).hasToString("batch*sequence + 2*sequence");
    }

    @Test
    void differences_that_cancel_are_known() {
        assertThat(batch.plus(Dim.of(5)).minus(batch).known()).isEqualTo(5);
    }

    @Test
    void division_succeeds_only_without_remainder() {
        Dim total = batch.times(sequence).times(Dim.of(12)).times(Dim.of(64));
        assertThat(total.dividedBy(batch.times(Dim.of(768)))).contains(sequence);
        assertThat(batch.plus(sequence).times(batch).dividedBy(batch.plus(sequence)))
                .contains(batch);
        assertThat(sequence.dividedBy(Dim.of(2))).isEmpty();
        assertThat(sequence.dividedBy(batch)).isEmpty();
        assertThat(sequence.dividedBy(Dim.ZERO)).isEmpty();
    }

    @Test
    void sizes_are_taken_to_be_zero_or_more_and_elements_are_not() {
        assertThat(batch.plus(Dim.ONE).isNonNegative()).isTrue();
        assertThat(batch.minus(Dim.ONE).isNonNegative()).isFalse();
        assertThat(Dim.symbol(Dim.ANY_SIGN + "1").isNonNegative()).isFalse();
    }

    @Test
    void an_unknown_size_has_no_number() {
        assertThatThrownBy(batch::known).hasMessageContaining("batch");
        assertThat(batch.asSymbol()).contains("batch");
        assertThat(batch.times(Dim.of(2)).asSymbol()).isEmpty();
    }
}
