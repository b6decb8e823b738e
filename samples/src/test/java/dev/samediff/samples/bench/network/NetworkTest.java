package dev.samediff.samples.bench.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.samediff.adapters.InvalidInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkTest {
    @Test
    void a_network_is_read_as_it_is_written() {
        String text = "d=768 L=12 H=12 B=4 T=256 V=50257";
        assertThat(Network.parse(text)).hasToString(text).isEqualTo(Network.parse("gpt2"));
        assertThat(Network.parse(text).fileName()).isEqualTo("d768-L12-H12-B4-T256-V50257");
        assertThat(Network.parse(text).tokens()).isEqualTo(1024);
    }

    @Test
    void the_standard_networks_are_those_of_the_tables() {
        assertThat(Network.STANDARD)
                .extracting(Network::toString)
                .containsExactly(
                        "d=256 L=4 H=4 B=8 T=128 V=2000",
                        "d=768 L=4 H=12 B=4 T=128 V=2000",
                        "d=768 L=12 H=12 B=4 T=256 V=50257");
    }

    @ParameterizedTest
    @ValueSource(strings = {"large", "d=256 L=4", "d=256 L=4 H=3 B=8 T=128 V=2000", "d=256 L=0 H=4 B=8 T=128 V=2000"})
    void sizes_that_make_no_network_are_refused(String text) {
        assertThatExceptionOfType(InvalidInputException.class)
                .isThrownBy(() -> Network.parse(text))
                .withMessageContaining(text);
    }
}
