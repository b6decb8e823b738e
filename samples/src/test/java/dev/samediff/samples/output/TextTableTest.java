package dev.samediff.samples.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class TextTableTest {
    @Test
    void columns_are_aligned_numbers_to_the_right() {
        assertThat(new TextTable("method", "loss")
                        .row("lora", "0.5")
                        .row("s", "12.25")
                        .render())
                .isEqualTo("""
                        method   loss
                        ------  -----
                        lora      0.5
                        s       12.25""");
    }

    @Test
    void a_row_of_another_length_is_refused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new TextTable("a", "b").row("1"))
                .withMessageContaining("1 cells");
    }
}
