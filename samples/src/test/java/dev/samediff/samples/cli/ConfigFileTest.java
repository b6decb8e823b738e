package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Options from files and presets: they repeat a run, the command line wins, and what is unknown is refused with the nearest name. */
class ConfigFileTest {
    @TempDir
    Path dir;

    private Path file(String text) throws IOException {
        return Files.writeString(dir.resolve("my.yaml"), text);
    }

    private static Path examples(Path dir) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            lines.append("{\"prompt\": \"Tom has ")
                    .append(i)
                    .append(" apples.\", \"response\": \" ")
                    .append(i)
                    .append("\"}\n");
        }
        return Files.writeString(dir.resolve("apples.jsonl"), lines);
    }

    @Test
    void a_run_is_repeated_to_the_last_bit_and_the_command_line_wins() throws IOException {
        Path first = dir.resolve("first");
        Path data = examples(dir);
        Run run = Run.of(
                "finetune",
                "--train=" + data,
                "--epochs=2",
                "--batch=4",
                "--accumulate=2",
                "--rank=2",
                "--method=lora",
                "--dropout=0.2",
                "--neftune=5",
                "--lora-plus=4",
                "--lr-of=*.c_proj.lora_A.*=1e-4",
                "--rank-pattern=c_proj=3",
                "--template=Q: {prompt} 'A' # ",
                "--targets=c_attn,c_proj",
                "--eval-count=0",
                "--seed=7",
                "--out=" + first);
        assertThat(run.exitCode()).as(run.err()).isZero();
        JsonNode summary = Json.parse(Files.readString(first.resolve("summary.json")));
        assertThat(summary.path("steps").asInt())
                .isEqualTo(2); // 9 examples, two batches of 4 an epoch, both in an update
        Path second = dir.resolve("second");
        Run again = Run.of("finetune", "--config", first.resolve("run.yaml").toString(), "--out=" + second);
        assertThat(again.exitCode()).as(again.err()).isZero();
        Path adapter = Path.of("adapter", "adapter_model.safetensors");
        assertThat(second.resolve(adapter)).hasSameBinaryContentAs(first.resolve(adapter));
        assertThat(Files.readString(second.resolve("run.yaml"))).isEqualTo(Files.readString(first.resolve("run.yaml")));
        Path third = dir.resolve("third");
        Run other =
                Run.of("finetune", "--config=" + first.resolve("run.yaml"), "--steps=1", "--seed=8", "--out=" + third);
        assertThat(other.exitCode()).as(other.err()).isZero();
        JsonNode changed = Json.parse(Files.readString(third.resolve("summary.json")));
        assertThat(changed.path("steps").asInt()).isEqualTo(1);
        assertThat(OptionFile.read(third.resolve("run.yaml")))
                .containsEntry("seed", "8")
                .containsEntry("steps", "1")
                .containsEntry("dropout", "0.2")
                .doesNotContainKey("epochs");
    }

    @Test
    void the_file_holds_every_option_that_says_what_is_done() {
        CommandLine line = new CommandLine(new FineTuneCommand()).setCaseInsensitiveEnumValuesAllowed(true);
        line.parseArgs("--lr=1e-4", "--modules-to-save=a,b", "--recompute");
        String lines = GivenOptions.lines(line.getCommandSpec(), Map.of("--steps", "200"));
        line.getCommandSpec().options().stream()
                .map(option -> option.longestName())
                .filter(name -> !GivenOptions.PLACE.contains(name)
                        && !List.of("--help", "--version", "--weights-directory")
                                .contains(name))
                .forEach(name -> assertThat(lines).containsPattern("(?m)^(# )?" + name.substring(2) + ":"));
        assertThat(lines)
                .contains("\nlr: 1e-4\n", "\nmodules-to-save: \"a,b\"\n", "\nrecompute: true\n", "\nsteps: 200\n");
    }

    @Test
    void an_unknown_name_is_refused_with_the_nearest_one() throws IOException {
        Run run = Run.of("finetune", "--config=" + file("rnak: 4\n"));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.error()).contains("`rnak`", "my.yaml", "did you mean `rank`?");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rank 4",
                "  rank: 4",
                "rank: 4\nrank: 5",
                "rank: {a: 1}",
                "- rank",
                "rank: \"4",
                "recompute: perhaps",
                "config: other.yaml",
                "help: true",
                "lora_plus: 2\nlora-plus: 3"
            })
    void what_is_no_list_of_options_is_refused(String text) throws IOException {
        Run run = Run.of("finetune", "--config=" + file(text));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.error()).contains("my.yaml").doesNotContain("Exception");
    }

    @Test
    void a_file_that_is_not_there_is_refused() {
        Run run = Run.of("finetune", "--config=" + dir.resolve("none.yaml"));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.error()).contains("none.yaml", "run.yaml");
    }

    @Test
    void texts_lists_and_comments_are_read() throws IOException {
        assertThat(OptionFile.read(file("""
                ---
                # a comment
                rank: 4 # behind
                template: "a: #b\\n{prompt}"
                train: 'it''s.jsonl'
                targets: [q_proj, "v_proj"]
                gamma:
                eval: null
                """)))
                .isEqualTo(Map.of(
                        "rank", "4", "template", "a: #b\n{prompt}", "train", "it's.jsonl", "targets", "q_proj,v_proj"));
        assertThatThrownBy(() -> OptionFile.read(file("rank: >\n")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("line 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "it's # 1", "\"", "null", "[x]", "ä\n\t", "-", ": ", "1e-4", "regex:.*"})
    void what_is_written_is_read(String value) throws IOException {
        assertThat(OptionFile.read(file(OptionFile.line("template", value)))).containsEntry("template", value);
    }

    @ParameterizedTest
    @CsvSource({"sorsa-paper, 128, 3e-5", "olora-paper, 32, 3e-4"})
    void a_preset_is_behind_the_command_line(String preset, String rank, String rate) throws IOException {
        CommandLine root = new CommandLine(new Root()).addSubcommand("finetune", new FineTuneCommand());
        assertThat(ConfiguredWords.of(root, "finetune", "--preset", preset))
                .contains("--rank=" + rank, "--lr=" + rate, "--epochs=1");
        assertThat(ConfiguredWords.of(root, "finetune", "--preset=" + preset, "--rank", "2", "--steps=5"))
                .contains("--lr=" + rate)
                .doesNotContain("--rank=" + rank, "--epochs=1");
        CommandLine others = new CommandLine(new Root())
                .addSubcommand("compare", new CompareCommand())
                .addSubcommand("sweep", new SweepCommand());
        for (String command : List.of("compare", "sweep")) {
            assertThat(ConfiguredWords.of(others, command, "--preset", preset))
                    .contains("--rank=" + rank, "--lr=" + rate)
                    .doesNotContain("--epochs=1");
        }
        Run unknown = Run.of("finetune", "--preset=pissa-paper");
        assertThat(unknown.exitCode()).isEqualTo(2);
        assertThat(unknown.error()).contains("pissa-paper", preset);
    }

    @CommandLine.Command
    private static final class Root {}

    @Test
    void a_resumed_run_has_the_options_of_its_folder() throws IOException {
        Path out = Files.createDirectories(dir.resolve("run"));
        Files.writeString(out.resolve("run.yaml"), "rank: 3\nsteps: 9\n");
        CommandLine root = new CommandLine(new Root()).addSubcommand("finetune", new FineTuneCommand());
        assertThat(ConfiguredWords.of(root, "finetune", "--out=" + out, "--resume"))
                .contains("--rank=3", "--steps=9");
        assertThat(ConfiguredWords.of(root, "finetune", "--out=" + out)).doesNotContain("--rank=3");
    }

    @Test
    void without_a_folder_the_newest_run_that_has_a_checkpoint_goes_on() throws IOException {
        Path runs = dir.resolve("samediff-out");
        assertThat(ConfiguredWords.newestRun(runs, "finetune")).isEmpty();
        Files.createDirectories(runs.resolve("finetune-20260101-000000/checkpoints/checkpoint-5"));
        Files.createDirectories(runs.resolve("finetune-20260201-000000/checkpoints/checkpoint-2"));
        Files.createDirectories(runs.resolve("finetune-20260301-000000/checkpoints"));
        Files.createDirectories(runs.resolve("finetune-20260302-000000"));
        Files.createDirectories(runs.resolve("sweep-20260401-000000/checkpoints/checkpoint-2"));
        assertThat(ConfiguredWords.newestRun(runs, "finetune")).contains(runs.resolve("finetune-20260201-000000"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--steps=3 --epochs=2|both say how long",
                "--epochs=0|--epochs 0",
                "--optimizer=lion|rmsprop",
                "--layers=1-|--layers",
                "--rank-pattern=q|NAME=VALUE",
                "--set=gamma=1 --gamma=2|another option",
                "--set=retraction|NAME=VALUE",
                "--set=retraction=often|a whole number",
                "--method=lora --set=retraction=2|no setting `retraction`",
                "--rank-pattern=q=1,q=2|once",
                "--bias=some|lora_only",
                "--dropout=1|dropout 1.0",
                "--lora-plus=-1|LoRA+",
                "--rslora|rslora",
                "--pack=isolated|a mask of every pair of tokens",
                "--pack=tight|best-fit",
                "--method=lora --fast-start=2|niter"
            })
    void options_that_cannot_be_are_refused(String options, String word) throws IOException {
        String[] words = ("finetune --train=" + examples(dir) + " " + options).split(" ");
        Run run = Run.of(words);
        assertThat(run.exitCode()).as(run.out()).isEqualTo(2);
        assertThat(run.error()).contains(word);
    }

    @Test
    void packed_examples_take_fewer_batches() throws IOException {
        Path out = dir.resolve("packed");
        Run run = Run.of(
                "finetune",
                "--train=" + examples(dir),
                "--pack=best-fit",
                "--epochs=1",
                "--batch=1",
                "--eval-count=0",
                "--rank=1",
                "--method=lora",
                "--out=" + out);
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(Json.parse(Files.readString(out.resolve("summary.json")))
                        .path("steps")
                        .asInt())
                .isLessThan(9);
    }

    @Test
    void epochs_of_stories_that_are_made_up_are_refused() {
        Run run = Run.of("finetune", "--epochs=2");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.error()).contains("--epochs 2", "bundled stories", "--steps");
    }
}
