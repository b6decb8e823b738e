package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.samples.bench.scale.LlamaFolder;
import dev.samediff.samples.bench.scale.LlamaShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one does with a folder of the hub: the commands that take an ONNX file take it too, and merge gives one back. */
class HuggingFaceFolderTest {
    private static final LlamaShape SHAPE = new LlamaShape(32, 48, 2, 4, 2, 23);

    @TempDir
    static Path folder;

    private static Path model;
    private static Path vocabulary;

    @BeforeAll
    static void write() throws IOException {
        model = LlamaFolder.write(SHAPE, folder.resolve("model"));
        vocabulary = Files.writeString(folder.resolve("vocabulary.json"), """
                {"type": "char", "pad": 0, "eos": 1, "unk": 2, "tokens": ["<pad>", "<eos>", "<unk>", "a", "b", "c", "d",
                 "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"]}
                """);
    }

    private static Run ran(String... arguments) {
        Run run = Run.of(arguments);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run;
    }

    @Test
    void a_plan_says_parts_what_fits_and_the_command() {
        Run run = ran("plan", "--model", model.toString(), "--rank", "4", "--length", "16", "--batch", "2", "--json");
        assertThat(run.out())
                .contains(
                        "intermediate results",
                        "together",
                        "it fits",
                        "samples/run finetune --model " + model + " --rank 4 --max-length 16 --batch 2 --tokenizer");
        assertThat(run.json().path("adapter_parameters").asLong()).isPositive();
        Run none = Run.of("plan", "--model", model.toString(), "--batch", "0");
        assertThat(none.exitCode()).isEqualTo(2);
        assertThat(none.error()).contains("a batch of 0");
    }

    @Test
    void an_adapter_is_trained_merged_into_a_folder_and_the_folder_writes_the_same() throws IOException {
        Path train = Files.writeString(
                folder.resolve("train.jsonl"),
                "{\"prompt\": \"abc\", \"response\": \"def\"}\n{\"prompt\": \"ghi\", \"response\": \"jkl\"}\n"
                        .repeat(8));
        Path out = folder.resolve("run");
        ran(
                "finetune",
                "--model",
                model.toString(),
                "--tokenizer",
                vocabulary.toString(),
                "--train",
                train.toString(),
                "--method",
                "lora",
                "--rank",
                "4",
                "--lr",
                "3e-2",
                "--steps",
                "60",
                "--out",
                out.toString());
        Path merged = folder.resolve("merged");
        Run written =
                ran("merge", "--model", model.toString(), "--adapter", out + "/adapter", "--out", merged.toString());
        assertThat(written.out()).contains("merged 14 layers", "huggingface");
        assertThat(Files.size(merged.resolve("model.safetensors")))
                .isEqualTo(Files.size(model.resolve("model.safetensors")));
        String[] generate = {"generate", "--tokenizer", vocabulary.toString(), "--prompt", "abc", "--model"};
        String adapted = ran(with(generate, model.toString(), "--adapter", out + "/adapter"))
                .out();
        assertThat(adapted).contains("def");
        assertThat(ran(with(generate, merged.toString())).out()).isEqualTo(adapted);
        Run again =
                Run.of("merge", "--model", model.toString(), "--adapter", out + "/adapter", "--out", merged.toString());
        assertThat(again.exitCode()).isEqualTo(2);
        assertThat(again.error()).contains("--overwrite");
        ran("merge", "--model", model.toString(), "--adapter", out + "/adapter", "--out", merged + ".onnx");
        ran("verify", merged + ".onnx");
    }

    private static String[] with(String[] arguments, String... more) {
        String[] all = Arrays.copyOf(arguments, arguments.length + more.length);
        System.arraycopy(more, 0, all, arguments.length, more.length);
        return all;
    }
}
