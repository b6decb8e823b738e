package dev.samediff.samples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the programs are shell scripts")
class FreshProcessTest {
    @Test
    void a_program_says_its_result_on_its_last_line_of_json_and_gets_the_settings() throws Exception {
        FreshProcess.Result result = FreshProcess.run(
                shell("echo noise; echo '{\"a\":1}'; echo \"{\\\"core\\\":\\\"$OPENBLAS_CORETYPE\\\"}\"; echo end"),
                Map.of("OPENBLAS_CORETYPE", "SKYLAKEX"));
        assertThat(result.line().path("core").asText()).isEqualTo("SKYLAKEX");
        assertThat(result.line().has("a")).isFalse();
    }

    @Test
    void a_program_that_fails_is_quoted() {
        assertThatExceptionOfType(FreshProcess.Failed.class)
                .isThrownBy(() -> FreshProcess.run(shell("echo first >&2; echo 'no memory' >&2; exit 3"), Map.of()))
                .withMessageContaining("exit code 3")
                .withMessageContaining("no memory");
    }

    private static List<String> shell(String script) {
        return List.of("sh", "-c", script);
    }
}
