package dev.samediff.samples.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NumbersTest {
    @ParameterizedTest
    @CsvSource({"0.003,0.003", "4e-4,4e-4", "1e-5,1e-5", "16,16", "0.25,0.25", "0,0", "1.5e-6,1.5e-6"})
    void settings_are_short_and_exact(double value, String shown) {
        assertThat(Numbers.setting(value)).isEqualTo(shown);
        assertThat(Double.parseDouble(shown)).isEqualTo(value);
    }

    @ParameterizedTest
    @CsvSource({"812,812 B", "3400000,3.4 MB", "1234567890,1.2 GB", "999999,1000 kB"})
    void bytes_have_a_unit(long bytes, String shown) {
        assertThat(Numbers.bytes(bytes)).isEqualTo(shown);
    }

    @Test
    void what_was_not_measured_is_a_dash_in_text_and_null_in_json() {
        assertThat(Numbers.decimal(Double.NaN)).isEqualTo("-");
        assertThat(Numbers.percent(Double.NaN)).isEqualTo("-");
        record Result(double evalLoss, Double other) {}
        assertThat(Json.line(new Result(Double.NaN, 0.5))).isEqualTo("{\"eval_loss\":null,\"other\":0.5}");
    }

    @Test
    void durations_are_readable() {
        assertThat(Numbers.duration(Duration.ofMillis(412))).isEqualTo("0.41 s");
        assertThat(Numbers.duration(Duration.ofSeconds(185))).isEqualTo("3 min 5 s");
    }
}
