package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Comparisons and sweeps take the options of finetune, do with them what finetune does, and are repeated by a file of options. */
class SweepOptionsTest {
    private static final String[] ADAPTER = {
        "--targets=c_attn,mlp.c_proj",
        "--exclude=0.mlp.c_proj",
        "--rank-pattern=c_attn=3",
        "--dropout=0.2",
        "--weight-decay=0.01",
        "--lora-plus=4",
        "--lr=5e-3",
        "--patience=9",
        "--bias=lora_only"
    };

    @TempDir
    Path dir;

    private Path data = Path.of("");

    @BeforeEach
    void examples() throws IOException {
        data = Files.writeString(
                dir.resolve("sums.jsonl"),
                "{\"prompt\": \"1+1=\", \"response\": \"2\"}\n{\"prompt\": \"2+1=\", \"response\": \"3\"}\n".repeat(6));
    }

    private Run run(String command, String... options) {
        return Run.of(Stream.of(
                        Stream.of(command, "--train=" + data, "--eval=" + data),
                        Stream.of("--steps=4", "--batch=2", "--eval-every=2", "--eval-count=0"),
                        Stream.of(options))
                .flatMap(words -> words)
                .toArray(String[]::new));
    }

    private static String[] and(String[] options, String... more) {
        return Stream.concat(Stream.of(options), Stream.of(more)).toArray(String[]::new);
    }

    @Test
    void trials_do_what_finetune_does_with_the_same_options() throws IOException {
        Path space = Files.writeString(
                dir.resolve("space.json"), "{\"schema\": 1, \"parameters\": {\"method\": [\"lora\", \"sorsa\"]}}");
        Run sweep = run(
                "sweep",
                and(
                        ADAPTER,
                        "--space=" + space,
                        "--search=grid",
                        "--prune=none",
                        "--regularizer=fro",
                        "--gamma=0.1",
                        "--set=retraction=2",
                        "--alpha=6",
                        "--json",
                        "--out=" + dir.resolve("sweep")));
        assertThat(sweep.exitCode()).as(sweep.err()).isZero();
        assertThat(sweep.json().path("complete").asInt()).as(sweep.err()).isEqualTo(2);
        List<String> words = new ArrayList<>(
                Arrays.asList(sweep.json().path("finetune").asText().split(" ")));
        words.remove(0);
        words.addAll(List.of("--out", dir.resolve("best").toString(), "--json"));
        if (words.contains("lora")) { // of sorsa alone
            words.removeAll(List.of("--regularizer", "fro", "--gamma", "0.1", "--set", "retraction=2"));
        }
        Run best = Run.of(words.toArray(String[]::new));
        assertThat(best.exitCode()).as(best.err()).isZero();
        assertThat(best.json().path("eval_loss_after").asDouble())
                .isEqualTo(sweep.json().path("best_score").asDouble());
    }

    @Test
    void a_sweep_is_repeated_by_its_file_and_goes_on_by_its_folder_with_more_trials() throws IOException {
        Path first = dir.resolve("first");
        Run run = run("sweep", and(ADAPTER, "--method=pissa", "--trials=2", "--prune=none", "--out=" + first));
        assertThat(run.exitCode()).as(run.err()).isEqualTo(2);
        assertThat(run.error()).contains("--method pissa");
        Path space = Files.writeString(
                dir.resolve("space.json"),
                "{\"schema\": 1, \"parameters\": {\"rank\": [1, 2], \"eta\": {\"log_uniform\": [1e-4, 1e-2]}}}");
        Run begun = run(
                "sweep",
                and(ADAPTER, "--method=pissa", "--space=" + space, "--trials=2", "--prune=none", "--out=" + first));
        assertThat(begun.exitCode()).as(begun.err()).isZero();
        Path second = dir.resolve("second");
        Run again = Run.of("sweep", "--config=" + first.resolve("run.yaml"), "--out=" + second);
        assertThat(again.exitCode()).as(again.err()).isZero();
        assertThat(scores(second)).hasSize(2).isEqualTo(scores(first));
        assertThat(Files.readString(second.resolve("run.yaml"))).isEqualTo(Files.readString(first.resolve("run.yaml")));
        Run more = Run.of("sweep", "--resume", "--trials=3", "--out=" + first);
        assertThat(more.exitCode()).as(more.err()).isZero();
        assertThat(scores(first))
                .hasSize(3)
                .startsWith(scores(second).get(0), scores(second).get(1));
        Run other = Run.of("sweep", "--resume", "--dropout=0.3", "--out=" + first);
        assertThat(other.exitCode()).isEqualTo(2);
        assertThat(other.error()).contains("--dropout was \"0.2\" and is \"0.3\"");
    }

    @Test
    void a_comparison_is_repeated_by_its_file() throws IOException {
        Path first = dir.resolve("first");
        Run run = run("compare", and(ADAPTER, "--methods=lora,full", "--out=" + first, "--json"));
        assertThat(run.exitCode()).as(run.err()).isZero();
        Path second = dir.resolve("second");
        Run again = Run.of("compare", "--config=" + first.resolve("run.yaml"), "--out=" + second, "--json");
        assertThat(again.exitCode()).as(again.err()).isZero();
        for (int i = 0; i < 2; i++) {
            JsonNode before = run.json().get(i);
            assertThat(again.json().get(i).path("eval_loss_after")).isEqualTo(before.path("eval_loss_after"));
            assertThat(again.json().get(i).path("method")).isEqualTo(before.path("method"));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sweep|--method=lora --space=SPACE --gamma=1|none of the methods lora has a setting `gamma`",
                "sweep|--method=lora|without --space is of sorsa",
                "sweep|--method=pissa --space=METHODS|says other methods",
                "sweep|--metric=accuracy|judged by their loss",
                "sweep|--patience=-1|--patience -1",
                "compare|--methods=lora,dora --target-rank=2|`target`",
                "compare|--methods=lora --regularizer=fro|`regularizer`",
                "compare|--min-delta=1|--patience",
                "compare|--preset=none-paper|sorsa-paper"
            })
    void what_cannot_be_is_refused(String command, String options, String word) throws IOException {
        Path space =
                Files.writeString(dir.resolve("space.json"), "{\"schema\": 1, \"parameters\": {\"rank\": [1, 2]}}");
        Path methods = Files.writeString(
                dir.resolve("methods.json"), "{\"schema\": 1, \"parameters\": {\"method\": [\"lora\", \"dora\"]}}");
        Run run = run(
                command,
                options.replace("SPACE", space.toString())
                        .replace("METHODS", methods.toString())
                        .concat(" --out=" + dir.resolve("refused"))
                        .split(" "));
        assertThat(run.exitCode()).as(run.out() + run.err()).isEqualTo(2);
        assertThat(run.error()).contains(word);
        assertThat(dir.resolve("refused")).doesNotExist();
    }

    private static List<JsonNode> scores(Path out) throws IOException {
        return Files.readAllLines(out.resolve("journal.jsonl")).stream()
                .map(line -> Json.parse(line).path("score"))
                .toList();
    }
}
