package dev.samediff.adapters.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Several methods are given the same hyper-parameters: each takes its own. */
class SharedSettingsTest {
    private static final Map<String, String> ALL = Map.of(
            "gamma", "0.5", "regularizer", "fro", "rslora", "true", "niter", "4", "target", "3", "feedforward", "down");

    static List<String> names() {
        return AdapterMethods.names();
    }

    @ParameterizedTest
    @MethodSource("names")
    void each_takes_what_it_has(String name) {
        AdapterMethod method = AdapterMethods.amongOthers(name, 4, OptionalDouble.of(8), ALL);
        assertThat(method.name()).startsWith(name);
        ALL.forEach((setting, value) -> {
            if (method.settings().containsKey(setting)) {
                assertThat(method.settings().get(setting)).as(setting).isEqualTo(value);
            }
        });
        if (!name.equals(Ia3.NAME)) {
            assertThat(method.alpha()).hasValue(8);
        }
    }

    @Test
    void what_one_has_by_another_setting_is_kept() {
        Map<String, String> settings = Map.of("directions", "pissa", "niter", "4");
        assertThat(AdapterMethods.amongOthers(Dora.NAME, 4, OptionalDouble.empty(), settings))
                .isEqualTo(AdapterMethods.named(Dora.NAME, 4, OptionalDouble.empty(), settings));
        assertThat(AdapterMethods.amongOthers(Dora.NAME, 4, OptionalDouble.empty(), Map.of("niter", "4")))
                .isEqualTo(AdapterMethods.named(Dora.NAME, 4));
    }

    @Test
    void what_none_has_is_refused() {
        AdapterMethods.requireKnown(List.of(Lora.NAME, Sorsa.NAME), Map.of("gamma", "1", "rslora", "true"));
        assertThatThrownBy(() -> AdapterMethods.requireKnown(List.of(Lora.NAME, Dora.NAME), Map.of("gamma", "1")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("lora, dora")
                .hasMessageContaining("`gamma`");
        assertThatThrownBy(() -> AdapterMethods.requireKnown(List.of("larp"), Map.of()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("larp");
    }
}
