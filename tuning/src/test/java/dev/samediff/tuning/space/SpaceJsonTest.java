package dev.samediff.tuning.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.Spaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpaceJsonTest {
    @TempDir
    Path folder;

    @Test
    void every_kind_of_parameter_survives_a_file() throws IOException {
        AdapterSpace space = AdapterSpace.of(
                Parameter.of("method", new Range.Choice(List.of("sorsa", "lora"))),
                Parameter.of("rank", new Range.Choice(List.of(2L, 4L))),
                Parameter.of("batch", new Range.Integers(1, 9)),
                Parameter.of("alpha", new Range.Uniform(1, 2.5)),
                Parameter.of("gamma", new Range.LogUniform(1e-5, 1e-2)).when("method", "sorsa"),
                Parameter.of("targets", new Range.Choice(List.of("all-linear"))).when("rank", 2L),
                Parameter.of("eta", new Range.Choice(List.of(1e-3, 3e-3))));
        Path file = folder.resolve("space.json");
        Files.writeString(file, SpaceJson.write(space).toPrettyString());
        assertThat(SpaceJson.read(file)).isEqualTo(space);
    }

    @Test
    void the_example_of_the_documentation_is_read() {
        AdapterSpace space = SpaceJson.parse("""
                {"schema": 1, "parameters": {"method": ["sorsa", "pissa"], "rank": [2, 4, 8],
                 "gamma": {"log_uniform": [1e-5, 1e-2], "when": {"method": ["sorsa"]}},
                 "eta": {"log_uniform": [1e-3, 3e-2]}, "batch": {"integer": [4, 32]},
                 "alpha": {"uniform": [4, 32]}, "schedule": "cosine"}}
                """, "here");
        assertThat(space.parameters()).hasSize(7);
        assertThat(space.varied()).hasSize(6);
        assertThat(AdapterParameter.check(space)).isEqualTo(space);
    }

    @Test
    void gamma_depends_on_the_method_by_itself() {
        AdapterSpace space = AdapterParameter.check(parse("\"method\": [\"sorsa\", \"lora\"], \"gamma\": [0, 1e-3]"));
        assertThat(space.parameters().get(1).condition()).contains(new Condition("method", List.of("sorsa")));
        assertThat(space.parameters().get(1).range()).isEqualTo(new Range.Choice(List.of(0.0, 1e-3)));
    }

    @Test
    void a_conditional_parameter_is_absent_where_its_condition_does_not_hold() {
        var all = new java.util.LinkedHashMap<String, Object>();
        Spaces.MIXED.parameters().forEach(parameter -> all.put(parameter.name(), 1L));
        all.put("method", "lora");
        assertThat(Spaces.MIXED.applyConditions(all).values())
                .doesNotContainKey("gamma")
                .hasSize(5);
        all.put("method", "sorsa");
        assertThat(Spaces.MIXED.applyConditions(all).values())
                .containsKey("gamma")
                .hasSize(6);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"rank\": {\"integr\": [1, 2]}                               | choice, integer, uniform",
                "\"rank\": {\"integer\": [1.5, 2]}                            | whole number",
                "\"rank\": {\"integer\": [4, 4]}                              | the first one smaller",
                "\"eta\": {\"log_uniform\": [0, 1]}                           | above 0",
                "\"eta\": {\"uniform\": [1]}                                  | [number, number]",
                "\"eta\": []                                                  | at least one value",
                "\"rank\": [2, 2]                                             | none twice",
                "\"rank\": true                                               | neither a number nor a text",
                "\"gamma\": {\"choice\": [1], \"when\": {\"method\": [\"sorsa\"]}}   | must stand before it",
                "\"method\": \"lora\", \"alpha\": {\"choice\": [1], \"when\": {\"method\": [\"sorsa\"]}} | none of its choices",
                "\"gamma\": {\"choice\": [1], \"when\": 3}                    | one parameter with its values"
            })
    void what_is_no_space_is_refused_with_a_reason(String parameters, String reason) {
        assertThatThrownBy(() -> parse(parameters))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("here")
                .hasMessageContaining(reason.strip());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"rnk\": [2]                                    | method, rank, alpha, gamma, eta",
                "\"rank\": [2.5]                                 | whole numbers",
                "\"rank\": [0]                                   | positive",
                "\"rank\": {\"uniform\": [1, 2]}                 | whole numbers",
                "\"method\": [\"lara\"]                          | lora, olora, pissa, sorsa",
                "\"method\": {\"integer\": [1, 2]}               | texts",
                "\"eta\": [-1]                                   | positive",
                "\"schedule\": [\"sine\"]                        | schedule",
                "\"targets\": [\"regex:(\"]                      | regular expression",
                "\"method\": [\"lora\"], \"gamma\": [1e-3]       | gamma belongs to sorsa"
            })
    void what_an_adapter_does_not_have_is_refused(String parameters, String reason) {
        AdapterSpace space = parse(parameters);
        assertThatThrownBy(() -> AdapterParameter.check(space))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(reason.strip());
    }

    @Test
    void files_that_are_none_are_refused() throws IOException {
        assertThatThrownBy(() -> SpaceJson.read(folder.resolve("nosuch.json"))).hasMessageContaining("nosuch.json");
        Path file = Files.writeString(folder.resolve("x.json"), "{");
        assertThatThrownBy(() -> SpaceJson.read(file)).hasMessageContaining("not JSON");
        Files.writeString(file, "{}");
        assertThatThrownBy(() -> SpaceJson.read(file)).hasMessageContaining("\"schema\": 1");
    }

    private static AdapterSpace parse(String parameters) {
        return SpaceJson.parse("{\"schema\": 1, \"parameters\": {" + parameters + "}}", "here");
    }
}
