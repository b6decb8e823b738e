package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.samediff.adapters.backend.CudaGate;
import dev.samediff.samples.model.BundledModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandsTest {
    private static final BundledModel BUNDLED = BundledModel.extract();

    @TempDir
    Path folder;

    @Test
    void inspect_lists_the_layers() {
        Run run = Run.of("inspect", BUNDLED.onnx().toString(), "--json");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains("transformer.h.0.attn.c_attn", "17 linear layers", "input_ids");
        assertThat(run.json().path("importable").asBoolean()).isTrue();
        assertThat(run.json().path("linear_layers")).hasSize(17);
        assertThat(run.json().path("schema").asInt()).isEqualTo(1);
        assertThat(run.json().path("embedding_tables")).isNotEmpty();
    }

    @Test
    void verify_passes_and_falls_short_of_an_impossible_tolerance() {
        Run run = Run.of("verify", BUNDLED.onnx().toString(), "--json");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.json().path("passed").asBoolean()).isTrue();
        assertThat(run.json().path("comparisons")).hasSizeGreaterThan(3);
        assertThat(run.json()
                        .path("comparisons")
                        .get(0)
                        .path("absolute_in_double")
                        .isNumber())
                .isTrue();
        assertThat(run.out()).contains("longest text: ");
        Run impossible = Run.of("verify", BUNDLED.onnx().toString(), "--tolerance", "0");
        assertThat(impossible.exitCode()).isEqualTo(1);
        assertThat(impossible.error()).contains("logits");
    }

    @Test
    void verify_runs_at_the_sizes_that_are_asked_for() {
        String model = BUNDLED.onnx().toString();
        Run run = Run.of("verify", model, "--shapes", "batch=1,sequence=9", "--no-double", "--json");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.json().path("comparisons").get(0).path("sizes").asText())
                .contains("= 1")
                .contains("= 9");
        assertThat(run.json()
                        .path("comparisons")
                        .get(0)
                        .path("absolute_in_double")
                        .isNull())
                .isTrue();
        Run unknown = Run.of("verify", model, "--shapes", "nosuch=3");
        assertThat(unknown.exitCode()).isEqualTo(2);
        assertThat(unknown.error()).contains("nosuch", "batch");
        Run unreadable = Run.of("verify", model, "--shapes", "batch");
        assertThat(unreadable.exitCode()).isEqualTo(2);
        assertThat(unreadable.error()).contains("--shapes batch");
    }

    @Test
    void doctor_measures_this_machine() {
        Run run = Run.of("doctor", "--json");
        assertThat(run.exitCode()).isZero();
        assertThat(run.json().path("gigaflops").asDouble()).isPositive();
        assertThat(run.json().path("nd4j_version").asText()).isEqualTo("1.0.0-M2.1");
        assertThat(run.out()).contains("OpenBLAS 0.3.30", "Advice");
        assertThat(run.json().path("one_dnn").asText()).isEqualTo("3.8.1");
        assertThat(run.json().path("instruction_set").asText()).isNotEmpty();
        assertThat(run.json().path("bundled_model").asText()).startsWith("compiled; ");
        assertThat(run.json().path("nd4j_share").asDouble()).isBetween(0.0, 1.0);
    }

    @Test
    void doctor_says_whether_cuda_is_usable() {
        Run run = Run.of("doctor", "--json");
        assertThat(run.json().path("cuda").asText())
                .isEqualTo(CudaGate.verdict().sentence())
                .startsWith("CUDA is ");
    }

    @Test
    void every_command_takes_a_backend_and_says_what_computes() {
        assumeFalse(CudaGate.verdict().usable(), "a device is here");
        String model = BUNDLED.onnx().toString();
        Run automatic = Run.of("--backend", "auto", "inspect", model);
        assertThat(automatic.exitCode()).as(automatic.err()).isZero();
        assertThat(automatic.err())
                .contains("computing on the CPU. " + CudaGate.verdict().sentence());
        Run cpu = Run.of("inspect", model, "--backend", "CPU");
        assertThat(cpu.exitCode()).as(cpu.err()).isZero();
        assertThat(cpu.err()).contains("computing on the CPU");
        for (String command : List.of("inspect " + model, "verify " + model, "finetune", "bench import", "doctor")) {
            Run cuda = Run.of((command + " --backend cuda").split(" "));
            assertThat(cuda.exitCode()).isEqualTo(2);
            assertThat(cuda.error()).contains(CudaGate.verdict().sentence());
        }
    }

    @Test
    void compare_trains_adapters_and_the_full_model() {
        Path out = folder.resolve("compare");
        Run run = Run.of(
                "compare",
                "--methods",
                "lora,full,galore,lisa",
                "--galore",
                "rank=4,interval=1",
                "--lisa",
                "layers=1",
                "--steps",
                "2",
                "--batch",
                "2",
                "--eval-every",
                "0",
                "--eval-count",
                "0",
                "--out",
                out.toString(),
                "--json");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains("loss@0", "loss@2", "lora", "full", "galore", "lisa", "s/step");
        assertThat(run.json()).hasSize(4);
        assertThat(List.of(2, 3))
                .allMatch(i -> run.json().get(i).path("eval_loss_after").asDouble()
                        < run.json().get(i).path("eval_loss_before").asDouble());
        assertThat(run.json().get(0).path("eval_loss_before").asDouble())
                .isEqualTo(run.json().get(1).path("eval_loss_before").asDouble());
        assertThat(run.json().get(1).path("trainable_parameters").asLong()).isGreaterThan(780_000);
        assertThat(out.resolve("report.html")).content().contains("Adapter methods compared", "<svg");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "finetune",
                "compare",
                "sweep",
                "generate",
                "chat",
                "serve",
                "merge",
                "convert",
                "inspect",
                "verify",
                "doctor"
            })
    void every_command_has_help(String command) {
        Run run = Run.of(command, "--help");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains("Usage: samples/run " + command).doesNotContain("${");
    }

    @Test
    void no_command_shows_the_overview() {
        Run run = Run.of();
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains("finetune", "doctor", "Exit codes");
    }
}
