package dev.samediff.samples.cli;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** From a training that keeps its adapters to their analysis. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AnalyseCommandTest {
    private static final String COMMON =
            "finetune --steps 4 --batch 2 --rank 2 --eval-count 0 --targets c_attn --lr 1e-2 --warmup 0";

    @TempDir
    static Path folder;

    private Path sorsa;
    private Path lora;

    @BeforeAll
    void train() {
        sorsa = folder.resolve("sorsa");
        lora = folder.resolve("lora");
        run(COMMON + " --eval-every 1 --keep-adapters 3 --checkpoint-every 2 --checkpoints-kept 9 --out " + sorsa);
        run(COMMON + " --eval-every 2 --keep-adapters 9 --method lora --out " + lora);
    }

    @Test
    void no_more_adapters_are_kept_than_asked_for_with_the_first_and_the_last_among_them() throws IOException {
        assertThat(kept(sorsa)).hasSize(3).startsWith("step-000000").endsWith("step-000004");
        assertThat(kept(lora)).containsExactly("step-000000", "step-000002", "step-000004");
        Map<String, INDArray> last = tensors(lora.resolve("adapters/step-000004"));
        Map<String, INDArray> own = tensors(lora.resolve("adapter")); // the last evaluation's is the run's
        assertThat(last.keySet()).isEqualTo(own.keySet());
        last.forEach((name, tensor) -> assertThatBits(tensor).isEqualTo(Objects.requireNonNull(own.get(name))));
    }

    @Test
    void every_step_of_every_run_is_analysed() throws IOException {
        Path out = folder.resolve("both");
        Run analysed = run("analyse --adapter " + sorsa + " --adapter plain=" + lora + " --json --out " + out);
        JsonNode means = analysed.json().path("means");
        assertThat(means).hasSize(6);
        JsonNode start = means.get(0);
        assertThat(start.path("run").asText()).isEqualTo("sorsa");
        assertThat(start.path("step").asInt()).isZero();
        assertThat(start.path("delta_d").asDouble()).isLessThan(1e-5);
        assertThat(start.path("orthonormality").asDouble()).isLessThan(1e-5);
        assertThat(start.path("condition_u").asDouble()).isCloseTo(1, within(1e-5));
        JsonNode end = means.get(2);
        assertThat(end.path("step").asInt()).isEqualTo(4);
        assertThat(end.path("delta_sigma_leading").asDouble()).isPositive();
        JsonNode plain = means.get(3);
        assertThat(plain.path("run").asText()).isEqualTo("plain");
        assertThat(plain.path("relative_change").asDouble()).isZero();
        assertThat(plain.path("condition_part").isNull())
                .as("nothing was added yet")
                .isTrue();
        List<String> lines = Files.readAllLines(out.resolve("analysis.csv"));
        assertThat(lines.get(0)).startsWith("run,step,matrix,rank,delta_sigma,delta_d,delta_sigma_leading");
        assertThat(lines).hasSize(1 + 6 * 4);
        assertThat(lines.get(1)).startsWith("sorsa,0,");
        assertThat(Files.readString(out.resolve("report.html"))).contains("<svg", "theorem 5", "plain");
        assertThat(Json.parse(Files.readString(out.resolve("summary.json")))).isEqualTo(means);
        assertThat(analysed.out()).contains("dS all", "cond W");
    }

    @Test
    void a_resumed_run_goes_on_in_the_same_folder() throws IOException {
        run(COMMON + " --eval-every 1 --keep-adapters 3 --checkpoint-every 2 --checkpoints-kept 9 --resume --out "
                + sorsa);
        assertThat(kept(sorsa)).hasSize(3).startsWith("step-000000").endsWith("step-000004");
    }

    @Test
    void an_adapter_in_pefts_form_alone_changes_the_weights_as_the_native_one() throws IOException {
        Path peft = folder.resolve("peft");
        run("convert --adapter " + sorsa.resolve("adapter") + " --out " + peft);
        JsonNode own = run("analyse --rank 2 --json --adapter " + sorsa.resolve("adapter") + " --out "
                        + folder.resolve("own"))
                .json()
                .path("means")
                .get(0);
        JsonNode converted = run("analyse --rank 2 --json --adapter " + peft + " --out " + folder.resolve("converted"))
                .json()
                .path("means")
                .get(0);
        for (String number : List.of("delta_sigma", "delta_d", "delta_d_leading", "subspace", "relative_change")) {
            assertThat(converted.path(number).asDouble())
                    .as(number)
                    .isCloseTo(own.path(number).asDouble(), within(1e-5));
        }
        assertThat(own.path("step").asInt()).isEqualTo(-1);
    }

    @Test
    void a_merged_model_was_changed_as_its_adapter_says() throws IOException {
        Path merged = folder.resolve("merged.onnx");
        run("merge --adapter " + lora.resolve("adapter") + " --out " + merged);
        JsonNode means = run("analyse --rank 2 --json --adapter adapter=" + lora.resolve("adapter") + " --after whole="
                        + merged + " --out " + folder.resolve("whole"))
                .json()
                .path("means");
        assertThat(means.get(1).path("run").asText()).isEqualTo("whole");
        assertThat(means.get(1).path("matrix").asText())
                .as("what is equal is left out")
                .isEqualTo("4 matrices");
        for (String number : List.of("delta_sigma", "delta_sigma_leading", "delta_d_leading", "relative_change")) {
            assertThat(means.get(1).path(number).asDouble())
                    .as(number)
                    .isCloseTo(means.get(0).path(number).asDouble(), within(1e-4));
        }
    }

    @Test
    void files_of_tensors_are_compared_by_name() throws IOException {
        INDArray before = Nd4j.createFromArray(new float[][] {{4, 0}, {0, 2}, {0, 0}});
        INDArray after = Nd4j.createFromArray(new float[][] {{5, 0}, {0, 1.5f}, {0, 0}});
        Path base = folder.resolve("base.safetensors");
        Path tuned = folder.resolve("tuned.safetensors");
        new Safetensors(Map.of("a.weight", before, "b.weight", before), Map.of()).write(base);
        new Safetensors(Map.of("a.weight", after, "b.weight", before), Map.of()).write(tuned);
        String words = "analyse --model " + base + " --after " + tuned + " --json --out " + folder.resolve("tensors");
        Run withoutRank = Run.of(words.split(" "));
        assertThat(withoutRank.exitCode()).isEqualTo(2);
        assertThat(withoutRank.error()).contains("--rank is missing");
        JsonNode means = run(words + " --rank 1").json().path("means");
        assertThat(means.get(0).path("matrix").asText()).isEqualTo("1 matrix");
        assertThat(means.get(0).path("delta_sigma").asDouble()).isCloseTo(0.75, within(1e-9));
        assertThat(means.get(0).path("delta_sigma_leading").asDouble()).isCloseTo(1, within(1e-9));
        Run same = Run.of(
                ("analyse --rank 1 --model " + base + " --after copy=" + base + " --out " + folder.resolve("same"))
                        .split(" "));
        assertThat(same.error()).contains("are equal; nothing was trained");
    }

    @Test
    void what_cannot_be_analysed_is_refused() throws IOException {
        assertThat(Run.of("analyse").error()).contains("nothing to analyse", "--adapter", "--after");
        assertThat(Run.of("analyse", "--adapter", folder.resolve("none").toString())
                        .error())
                .contains("there is no folder");
        assertThat(Run.of("analyse", "--adapter", "a=" + lora, "--adapter", "a=" + lora)
                        .error())
                .contains("give them names");
        Path houlsby = folder.resolve("houlsby");
        run(COMMON + " --method houlsby --eval-every 0 --out " + houlsby);
        Run bottleneck = Run.of("analyse", "--adapter", houlsby.toString());
        assertThat(bottleneck.exitCode()).isEqualTo(2);
        assertThat(bottleneck.error()).contains("houlsby", "there is nothing to analyse");
        Run few = Run.of("finetune", "--keep-adapters", "1");
        assertThat(few.exitCode()).isEqualTo(2);
        assertThat(few.error()).contains("--keep-adapters 1");
    }

    private static Map<String, INDArray> tensors(Path adapter) throws IOException {
        return AdapterFolder.load(adapter).sites().get(0).tensors();
    }

    private static List<String> kept(Path run) throws IOException {
        try (Stream<Path> entries = Files.list(run.resolve("adapters"))) {
            return entries.map(entry -> String.valueOf(entry.getFileName()))
                    .sorted()
                    .toList();
        }
    }

    private static Run run(String words) {
        Run run = Run.of(words.split(" "));
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run;
    }
}
