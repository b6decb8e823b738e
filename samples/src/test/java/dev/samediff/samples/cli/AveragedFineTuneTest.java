package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code finetune --spark}. */
class AveragedFineTuneTest {
    @TempDir
    Path folder;

    @Test
    void one_shard_gives_what_finetune_gives_and_two_learn_together() throws IOException {
        JsonNode plain = run("plain").json();
        JsonNode one = run("one", "--spark", "local[1]", "--shards", "1", "--average-every", "2")
                .json();
        assertThat(one.path("eval_loss_after").asDouble())
                .isEqualTo(plain.path("eval_loss_after").asDouble());
        assertThat(one.path("train_loss_last").asDouble())
                .isEqualTo(plain.path("train_loss_last").asDouble());
        assertThat(tensors("one")).isEqualTo(tensors("plain"));

        Run two = run("two", "--spark", "local[2]", "--average-every", "2", "--moments", "kept");
        assertThat(two.json().path("steps").asInt()).isEqualTo(4);
        assertThat(two.json().path("eval_loss_after").asDouble())
                .isLessThan(two.json().path("eval_loss_before").asDouble());
        assertThat(tensors("two")).isNotEqualTo(tensors("plain"));
        List<JsonNode> metrics = Files.readAllLines(folder.resolve("two/metrics.jsonl")).stream()
                .map(Json::parse)
                .toList();
        assertThat(metrics).extracting(line -> line.path("step").asInt()).containsExactly(0, 2, 4, 4);
        assertThat(folder.resolve("two/report.html")).content().contains("<svg", "--moments kept");
    }

    @Test
    void what_cannot_be_is_said_before_the_work() {
        assertThat(Run.of("finetune", "--spark", "local[2]", "--steps", "7", "--average-every", "2")
                        .error())
                .contains("--average-every 2 does not divide --steps 7");
        assertThat(Run.of("finetune", "--spark", "local[2]", "--resume", "--out", folder.toString())
                        .error())
                .contains("not possible with --spark");
    }

    private Run run(String name, String... more) throws IOException {
        Path sums = folder.resolve("sums.jsonl");
        Files.writeString(
                sums,
                Stream.iterate(1, i -> i + 1)
                        .limit(16)
                        .map(i -> "{\"prompt\": \"" + i + "+1=\", \"response\": \"" + (i + 1) + "\"}\n")
                        .reduce("", String::concat));
        String[] small = {
            "finetune",
            "--steps",
            "4",
            "--batch",
            "2",
            "--rank",
            "2",
            "--eval-every",
            "2",
            "--eval-count",
            "0",
            "--targets",
            "c_attn",
            "--train",
            sums.toString(),
            "--eval",
            sums.toString(),
            "--out",
            folder.resolve(name).toString(),
            "--json"
        };
        Run run = Run.of(Stream.concat(Stream.of(small), Stream.of(more)).toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run;
    }

    private byte[] tensors(String name) throws IOException {
        return Files.readAllBytes(folder.resolve(name).resolve("adapter/adapter_model.safetensors"));
    }
}
