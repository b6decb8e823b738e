package dev.samediff.samples.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against scipy.stats.binomtest(right, asked).proportion_ci(0.95, method="wilson"). */
class IntervalTest {
    @ParameterizedTest
    @CsvSource({
        "8, 10, 0.4901624715366418, 0.9433178485456248",
        "0, 20, 0.0, 0.16112515805281935",
        "20, 20, 0.8388748419471808, 1.0",
        "37, 50, 0.6044684273515115, 0.8412847250644762",
        "739, 1319, 0.5333496832631133, 0.5868461262496516",
    })
    void intervals_are_wilsons(int right, int asked, double low, double high) {
        Interval interval = Interval.of(right, asked);
        assertThat(interval.low()).isCloseTo(low, within(1e-12));
        assertThat(interval.high()).isCloseTo(high, within(1e-12));
    }

    @Test
    void nothing_asked_has_none() {
        assertThat(Interval.of(0, 0).low()).isNaN();
    }
}
