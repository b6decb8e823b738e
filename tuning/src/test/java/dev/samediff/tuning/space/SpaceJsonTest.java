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
            quoteCharacter = '~',
            value = {
                "\"rank\": {\"integr\": [1, 2]}                               | `parameters.rank` is {\"integr\":[1,2]}; expected one of choice, integer, uniform",
                "\"rank\": {\"integer\": [1.5, 2]}                            | `parameters.rank.integer[0]` is 1.5; expected a whole number",
                "\"rank\": {\"integer\": [3000000000, 2]}                     | `parameters.rank.integer[0]` is 3000000000; expected a whole number from",
                "\"rank\": {\"integer\": [-2147483648, 2147483647]}           | by less than 2147483647",
                "\"rank\": {\"integer\": [4, 4]}                              | `parameters.rank.integer`: the range integer [4, 4] is not possible; expected two numbers, the first one smaller",
                "\"eta\": {\"log_uniform\": [0, 1]}                           | above 0",
                "\"eta\": {\"uniform\": [1]}                                  | [number, number]",
                "\"eta\": {\"uniform\": {\"a\": 1, \"b\": 2}}                 | `parameters.eta.uniform` is {\"a\":1,\"b\":2}; expected [number, number]",
                "\"eta\": {\"uniform\": [null, 2]}                            | `parameters.eta.uniform[0]` is null; expected a finite number",
                "\"eta\": {\"uniform\": [1, 1e999]}                           | `parameters.eta.uniform[1]` is",
                "\"eta\": {\"uniform\": [1, 2], \"wen\": 1}                    | `parameters.eta.wen` is 1; expected nothing there: the keys are uniform, when",
                "\"eta\": {\"uniform\": [1, 2], \"choice\": [1]}               | expected one of choice, integer",
                "\"eta\": []                                                  | `parameters.eta`: a choice of [] is not possible; give at least one value",
                "\"eta\": null                                                | `parameters.eta` is null; expected a number or a text",
                "\"eta\": [[1]]                                               | `parameters.eta[0]` is [1]; expected a number or a text",
                "\"rank\": [2, 2]                                             | none twice",
                "\"rank\": [2], \"rank\": [4]                                 | Duplicate field 'rank'",
                "\"rank\": {\"choice\": [2], \"choice\": [4]}                 | Duplicate field 'choice'",
                "\"rank\": true                                               | `parameters.rank` is true; expected a number or a text",
                "\"method\": [\"a\\nb\"]                                      | `parameters.method[0]` is \"a\\nb\"; expected a text without line ends",
                "\"\": [1]                                                    | no name of a parameter",
                "\"gamma\": {\"choice\": [1], \"when\": {\"method\": [\"sorsa\"]}}   | must stand before it",
                "\"method\": \"lora\", \"alpha\": {\"choice\": [1], \"when\": {\"method\": [\"sorsa\"]}} | none of its choices",
                "\"gamma\": {\"choice\": [1], \"when\": null}                 | `parameters.gamma.when` is null; expected one parameter with its values",
                "\"gamma\": {\"choice\": [1], \"when\": {}}                   | `parameters.gamma.when` is {}; expected one parameter with its values",
                "\"gamma\": {\"choice\": [1], \"when\": {\"a\": null}}         | `parameters.gamma.when.a` is null",
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
            quoteCharacter = '~',
            value = {
                "\"rnk\": [2]                                    | method, rank, alpha, gamma, eta",
                "\"rank\": [2.5]                                 | whole numbers",
                "\"rank\": [0]                                   | positive",
                "\"rank\": [3000000000]                          | up to 2147483647",
                "\"rank\": {\"uniform\": [1, 2]}                 | cannot be {\"uniform\":[1.0,2.0]}; expected a choice of whole numbers",
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
        Files.write(file, new byte[] {'"', (byte) 0xff, '"'});
        assertThatThrownBy(() -> SpaceJson.read(file)).hasMessageContaining("not text in UTF-8");
        Files.write(file, new byte[(1 << 20) + 1]);
        assertThatThrownBy(() -> SpaceJson.read(file)).hasMessageContaining("more than the 1048576 that are read");
        assertThatThrownBy(() -> SpaceJson.read(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(folder.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "null                                             | it is null; expected an object with",
                "[1]                                              | it is [1]; expected an object with",
                "7 8                                              | not JSON",
                "{\"schema\": 2, \"parameters\": {\"rank\": [1]}}   | `schema` is 2; expected 1, the only version there is",
                "{\"schema\": \"1\", \"parameters\": {\"rank\": [1]}} | `schema` is \"1\"; expected a whole number",
                "{\"schema\": 1, \"parameters\": [1]}             | `parameters` is [1]; expected an object",
                "{\"schema\": 1, \"parameters\": {}}              | the space has no parameters",
                "{\"schema\": 1, \"schema\": 1, \"parameters\": {\"rank\": [1]}} | Duplicate field 'schema'",
                "{\"schema\": 1, \"parameters\": {\"rank\": [1]}, \"parameter\": {}} | `parameter` is {}; expected nothing there",
                "{\"schema\": 1, \"parameters\": {\"rank\": [1]}} {} | not JSON"
            })
    void what_is_not_of_version_1_is_refused_with_the_place(String json, String reason) {
        assertThatThrownBy(() -> SpaceJson.parse(json.strip(), "here"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageStartingWith("the space here: ")
                .hasMessageContaining(reason.strip());
    }

    @Test
    void a_byte_order_mark_is_no_part_of_a_space() throws IOException {
        Path file = Files.writeString(
                folder.resolve("bom.json"), "\uFEFF{\"schema\": 1, \"parameters\": {\"rank\": [1, 2]}}");
        assertThat(SpaceJson.read(file).varied()).hasSize(1);
    }

    @Test
    void numbers_of_choices_are_those_of_files() {
        assertThat(new Range.Choice(List.of(1, 2L, 0.5f)).values()).isEqualTo(List.of(1L, 2L, 0.5));
        assertThatThrownBy(() -> new Range.Choice(List.of(1, 1L))).hasMessageContaining("none twice");
        assertThatThrownBy(() -> new Range.Choice(List.of(Double.NaN)))
                .hasMessageContaining("cannot have the value NaN");
        assertThatThrownBy(() -> new Range.Choice(List.of(List.of()))).hasMessageContaining("cannot have the value []");
    }

    private static AdapterSpace parse(String parameters) {
        return SpaceJson.parse("{\"schema\": 1, \"parameters\": {" + parameters + "}}", "here");
    }
}
