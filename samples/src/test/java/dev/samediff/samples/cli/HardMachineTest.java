package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.testing.ForkedJvm;
import dev.samediff.adapters.testing.Programs;
import dev.samediff.samples.model.BundledModel;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Machines that are not like a developer's: full disks, missing folders, other languages, little memory, strange paths. */
@EnabledOnOs(OS.LINUX)
class HardMachineTest {
    private static final String FINE_TUNE =
            "finetune --steps 2 --batch 2 --rank 2 --targets c_attn --eval-every 0 --eval-count 0 --out ";
    private static final int MINUTES = 3;

    @TempDir
    Path folder;

    /** How a process ended. */
    private record Ended(int exitCode, String out, String err) {
        /** The one sentence that is said, and nothing of a program's inside. */
        String sentence() {
            assertThat(err).doesNotContain("\tat ", "Exception");
            List<String> errors =
                    err.lines().filter(line -> line.startsWith("error: ")).toList();
            assertThat(errors).as(err).hasSize(1);
            return errors.get(0);
        }
    }

    private Ended end(ForkedJvm jvm, String... arguments) throws Exception {
        Path errors = Files.createTempFile(folder, "errors", "");
        Process process = jvm.errorsTo(errors).start(Cli.class, arguments);
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
        return new Ended(process.exitValue(), out, Files.readString(errors));
    }

    private String[] fineTune(Path out) {
        return Stream.concat(Arrays.stream(FINE_TUNE.split(" ")), Stream.of(out.toString()))
                .toArray(String[]::new);
    }

    @Test
    void a_standard_output_that_is_full_ends_with_1() throws Exception {
        Process process = new ForkedJvm()
                .by("sh", "-c", "exec \"$0\" \"$@\" >/dev/full")
                .errorsTo(folder.resolve("err"))
                .start(Cli.class, "inspect", BundledModel.extract().onnx().toString(), "--json");
        assertThat(process.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).isEqualTo(1);
        assertThat(folder.resolve("err")).content().contains("error: the results could not be written");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "inspect MODEL",
                "inspect MODEL --json",
                "generate --prompt Tom --max-tokens 1",
                "--help",
                "finetune --help"
            })
    void results_that_cannot_be_written_end_with_1(String line) {
        OutputStream full = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("No space left on device");
            }
        };
        StringWriter err = new StringWriter();
        String[] arguments =
                line.replace("MODEL", BundledModel.extract().onnx().toString()).split(" ");
        int exitCode =
                Cli.execute(new PrintWriter(full, false, StandardCharsets.UTF_8), new PrintWriter(err), arguments);
        assertThat(exitCode).isEqualTo(1);
        assertThat(err.toString()).contains("error: the results could not be written to standard output");
    }

    @Test
    void a_temporary_folder_that_is_missing_is_said() throws Exception {
        Ended ended = end(new ForkedJvm().with("-Djava.io.tmpdir=/nonexistent/tmp"), fineTune(folder.resolve("out")));
        assertThat(ended.exitCode()).isEqualTo(2);
        assertThat(ended.sentence()).contains("the temporary folder /nonexistent/tmp", "TMPDIR=");
    }

    @Test
    void a_temporary_folder_that_is_full_is_said() throws Exception {
        String disk = Files.createDirectory(folder.resolve("disk")).toString();
        assumeTrue(
                Programs.succeeds("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk),
                "needs the right to mount a tmpfs of 1 MiB");
        try {
            Ended ended = end(new ForkedJvm().with("-Djava.io.tmpdir=" + disk), fineTune(folder.resolve("out")));
            assertThat(ended.exitCode()).isEqualTo(1);
            assertThat(ended.sentence()).contains("No space left", disk, "TMPDIR=");
            String model = BundledModel.extract().onnx().toString();
            Ended verified = end(new ForkedJvm().with("-Djava.io.tmpdir=" + disk), "verify", model);
            assertThat(verified.exitCode()).isEqualTo(1);
            assertThat(verified.sentence())
                    .contains("ONNX Runtime", disk, "TMPDIR=")
                    .doesNotContain("Error:");
            assertThat(verified.err()).doesNotContain("\tat ");
            String words = "finetune --precision bf16 --model " + model + " --tokenizer "
                    + model.replace("gpt.onnx", "vocab.json") + " --train " + data() + " --steps 2 --batch 2 --rank 2"
                    + " --eval-every 0 --eval-count 0 --weights-directory " + disk + " --out " + folder.resolve("own");
            Ended works = end(new ForkedJvm(), words.split(" "));
            assertThat(works.exitCode()).as(works.err()).isZero();
            assertThat(works.err()).doesNotContain("\tat ");
        } finally {
            Programs.succeeds("umount", disk);
        }
    }

    private Path data() throws IOException {
        return Files.writeString(
                folder.resolve("data.jsonl"), "{\"prompt\": \"1+1=\", \"response\": \"2\"}\n".repeat(4));
    }

    @Test
    void a_home_that_is_missing_is_not_needed() throws Exception {
        Ended ended = end(
                new ForkedJvm().with("-Duser.home=/dev/null/home").in(Map.of("HOME", "/dev/null/home")),
                fineTune(folder.resolve("out")));
        assertThat(ended.exitCode()).as(ended.err()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"tr,TR", "ar,EG"})
    void every_language_gives_the_same_files(String language, String country) throws Exception {
        Path out = folder.resolve("out");
        Ended ended = end(
                new ForkedJvm().with("-Duser.language=" + language, "-Duser.country=" + country),
                (FINE_TUNE + out + " --method LORA --schedule LINEAR --json").split(" "));
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        Path plain = folder.resolve("plain");
        assertThat(end(new ForkedJvm(), (FINE_TUNE + plain + " --method lora --schedule linear").split(" "))
                        .exitCode())
                .isZero();
        for (String file : List.of("adapter_config.json", "native/adapter.json", "adapter_model.safetensors")) {
            assertThat(out.resolve("adapter").resolve(file))
                    .hasSameBinaryContentAs(plain.resolve("adapter").resolve(file));
        }
    }

    @Test
    void paths_may_have_spaces_and_letters_of_other_languages() throws Exception {
        Path out = Files.createDirectory(folder.resolve("o \u00e4\u00f6\u00fc \u7ed3\u679c"))
                .resolve("run 1");
        Run run = Run.of(fineTune(out));
        assertThat(run.exitCode()).as(run.err()).isZero();
        Path merged = out.resolveSibling("m e r g e d.onnx");
        for (int i = 0; i < 2; i++) {
            Run merge = Run.of(
                    "merge", "--adapter", out.resolve("adapter").toString(), "--out", merged.toString(), "--overwrite");
            assertThat(merge.exitCode()).as(merge.err()).isZero();
        }
        Run again = Run.of(
                "convert",
                "--adapter",
                out.resolve("adapter").toString(),
                "--out",
                out.resolve("lora").toString());
        assertThat(again.exitCode()).as(again.err()).isZero();
    }

    @Test
    void a_heap_that_is_too_small_is_said() throws Exception {
        Ended ended = end(
                new ForkedJvm().with("-Xmx24m"),
                (FINE_TUNE.replace("--batch 2", "--batch 512") + folder.resolve("out")).split(" "));
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err().lines().filter(line -> line.startsWith("error: ")))
                .hasSize(1);
        assertThat(ended.err()).contains("out of memory", "SAMEDIFF_HEAP").doesNotContain("\tat ");
    }

    @Test
    void one_processor_is_enough() throws Exception {
        Ended ended = end(new ForkedJvm().with("-XX:ActiveProcessorCount=1"), fineTune(folder.resolve("out")));
        assertThat(ended.exitCode()).as(ended.err()).isZero();
    }

    @Test
    void what_killed_processes_left_in_the_temporary_folder_goes_with_the_next_one() throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        Path strangers = Files.createDirectory(temporary.resolve("samediff-model-mine"));
        String[] generate = ("generate --max-tokens 100 --temperature 1 --prompts "
                        + Files.writeString(folder.resolve("prompts.txt"), "Tom has 7 pens.\n".repeat(20_000)))
                .split(" ");
        Process killed = new ForkedJvm().with("-Djava.io.tmpdir=" + temporary).start(Cli.class, generate);
        while (models(temporary).isEmpty()) {
            Thread.sleep(10);
        }
        Process living = new ForkedJvm().with("-Djava.io.tmpdir=" + temporary).start(Cli.class, generate);
        try {
            while (models(temporary).size() < 2) {
                Thread.sleep(10);
            }
            List<Path> both = models(temporary);
            killed.destroyForcibly().waitFor();
            Ended ended = end(
                    new ForkedJvm().with("-Djava.io.tmpdir=" + temporary),
                    "generate",
                    "--prompt",
                    "Tom",
                    "--max-tokens",
                    "1");
            assertThat(ended.exitCode()).as(ended.err()).isZero();
            assertThat(models(temporary)).as("that of the living process").hasSize(1);
            assertThat(both).containsAll(models(temporary));
            assertThat(strangers).exists();
            assertThat(living.isAlive()).isTrue();
        } finally {
            living.destroyForcibly().waitFor();
        }
    }

    /** Complete ones, which have their lock. */
    private static List<Path> models(Path temporary) throws IOException {
        try (var entries = Files.list(temporary)) {
            return entries.filter(entry -> Files.exists(entry.resolve("stories-vocab.json")))
                    .toList();
        }
    }
}
