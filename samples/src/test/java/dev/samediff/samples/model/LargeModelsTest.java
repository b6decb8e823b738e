package dev.samediff.samples.model;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class LargeModelsTest {
    private static final Path MODEL = Path.of("llama");
    private static final long WEIGHTS = 1_000_000_000L;

    @Test
    void what_fits_is_let_through() {
        assertThatCode(() -> LargeModels.requireRoom(MODEL, WEIGHTS, false, OptionalLong.of(4_000_000_000L)))
                .doesNotThrowAnyException();
        assertThatCode(() -> LargeModels.requireRoom(MODEL, WEIGHTS, true, OptionalLong.of(2_000_000_000L)))
                .doesNotThrowAnyException();
        assertThatCode(() -> LargeModels.requireRoom(MODEL, WEIGHTS, false, OptionalLong.empty()))
                .doesNotThrowAnyException();
    }

    @Test
    void what_does_not_fit_is_told_with_what_would() {
        assertThatThrownBy(() -> LargeModels.requireRoom(MODEL, WEIGHTS, false, OptionalLong.of(3_000_000_000L)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("4.0 GB")
                .hasMessageContaining("3.0 GB")
                .hasMessageContaining("--precision bf16 needs 2.0 GB")
                .hasMessageContaining("plan");
        assertThatThrownBy(() -> LargeModels.requireRoom(MODEL, WEIGHTS, true, OptionalLong.of(1_000_000_000L)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("a smaller model");
    }

    @Test
    void a_model_that_is_not_there_is_for_its_reader_to_refuse() {
        assertThatCode(() -> LargeModels.requireRoom(Path.of("/no/such/model.onnx"), EngineOptions.defaults()))
                .doesNotThrowAnyException();
    }
}
