package dev.samediff.tuning.arbiter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.Spaces;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.Range;
import java.util.List;
import org.junit.jupiter.api.Test;

class ArbiterJsonTest {
    @Test
    void what_has_a_form_in_arbiters_json_survives_it() {
        AdapterSpace space = AdapterSpace.of(
                Parameter.of("method", new Range.Choice(List.of("sorsa", "lora"))),
                Parameter.of("schedule", new Range.Choice(List.of("cosine"))),
                Parameter.of("rank", new Range.Choice(List.of(2L, 4L, 8L))),
                Parameter.of("batch", new Range.Integers(4, 32)),
                Parameter.of("alpha", new Range.Uniform(4, 32.5)),
                Parameter.of("eta", new Range.LogUniform(1e-4, 1e-1)));
        assertThat(ArbiterJson.read(ArbiterJson.write(space))).isEqualTo(space);
    }

    @Test
    void conditions_and_other_files_are_refused() {
        assertThatThrownBy(() -> ArbiterJson.write(Spaces.MIXED))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("gamma");
        assertThatThrownBy(() -> ArbiterJson.read("{\"x\": 1}"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("Arbiter");
    }
}
