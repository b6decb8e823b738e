package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.samples.model.BundledModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every way to fail ends with the right code and one sentence. */
class FailureTest {
    private static final BundledModel BUNDLED = BundledModel.extract();

    @TempDir
    static Path folder;

    private static Path data;

    @BeforeAll
    static void writeData() throws IOException {
        data = folder.resolve("data.jsonl");
        Files.writeString(data, "{\"prompt\": \"1+1=\", \"response\": \"2\"}\n".repeat(4));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "finetne                                 | did you mean finetune",
                "finetune --metod lora                   | there is no option --metod; did you mean --method",
                "finetune --learning_rate 1              | there is no option --learning_rate; here it is --lr",
                "finetune --lora-r 4                     | there is no option --lora-r; here it is --rank",
                "finetune --output-dir=x                 | there is no option --output-dir; here it is --out",
                "generate --max-new-tokens 4 --prompt a  | here it is --max-tokens",
                "doctor --learning-rate 1                | there is no option --learning-rate",
                "train                                   | there is no command `train`; here it is finetune",
                "help                                    | there is no command `help`; here it is --help",
                "finetune stray                          | the word `stray` belongs to no option",
                "generate                                | error: Missing required argument",
                "finetune --weights-directory /nosuch    | --weights-directory /nosuch is no directory",
                "compare --weights-directory /nosuch     | --weights-directory /nosuch is no directory",
                "sweep --weights-directory /nosuch       | --weights-directory /nosuch is no directory",
                "finetune --method dorra                 | lora, olora, pissa, sorsa",
                "finetune --rank 0                       | rank 0",
                "finetune --rank 9999                    | rank 9999",
                "finetune --rank eight                   | --rank",
                "finetune --targets nosuch               | nosuch",
                "finetune --targets regex:(              | regular expression",
                "finetune --lr -1                        | learning rate",
                "finetune --lr NaN                       | learning rate",
                "finetune --steps 0                      | steps",
                "finetune --steps 5 --rank 2 --steps=6   | --steps is given 2 times",
                "finetune --batch 0                      | --batch 0",
                "finetune --schedule sine                | --schedule",
                "finetune --max-length 5000              | --max-length 5000",
                "finetune --method lora --gamma 1        | belong to sorsa",
                "finetune --method lora --target-rank 2  | belongs to adalora",
                "finetune --method sorsa --regularizer x | regularizer",
                "finetune --resume                       | --out",
                "finetune --checkpoint-every -3          | --checkpoint-every -3",
                "finetune --betas 0.9                    | --betas has 1 numbers; give two",
                "finetune --betas 0.9,1.5                | beta2",
                "finetune --epsilon 1 --optimizer sgd    | --epsilon is of adamw",
                "finetune --min-delta 0.1                | --min-delta 0.1 belongs to --patience",
                "finetune --checkpoints-kept 0           | checkpoints kept",
                "finetune --virtual-tokens 4             | --virtual-tokens belongs to prompt_tuning",
                "finetune --method prompt_tuning --virtual-tokens 0   | 0 virtual tokens",
                "finetune --method prompt_tuning --virtual-tokens 250 | maximum length",
                "finetune --method prompt_tuning --gamma 1            | --virtual-tokens",
                "compare --methods lora,sorsa --virtual-tokens 4      | belongs to prompt_tuning",
                "sweep --method prompt_tuning            | prompt_tuning",
                "finetune --galore rank=2                | --galore is for the method galore",
                "compare --methods galore --galore rnk=2 | there are interval, rank, scale",
                "compare --methods lisa --lisa layers=0  | --lisa layers=0",
                "compare --methods lisa --lisa layers=99 | 99 layers at a time",
                "compare --methods galore --galore a     | --galore",
                "sweep --method galore                   | galore",
                "finetune --patience -1                  | --patience -1",
                "finetune --eval-every -2                | --eval-every -2",
                "compare --warmup -2                     | --warmup -2",
                "generate --prompts /dev/zero            | /dev/zero is not a file",
                "generate --prompts /                    | is not a file",
                "finetune --precision fp16 --recompute   | recomputation",
                "finetune --precision fp64               | f32, bf16, fp16 and auto",
                "bench generate --precision fp16         | f32 or bf16",
                "finetune --tokenizer x.json             | --model",
                "finetune --eval nosuch.jsonl            | --train is missing",
                "finetune --train nosuch.jsonl           | nosuch.jsonl",
                "compare --methods lora,,sorsa           | empty name",
                "sweep --space nosuch.json               | nosuch.json",
                "sweep --trials 0                        | trials: 0",
                "sweep --parallel 0                      | parallel trials: 0",
                "sweep --search annealing                | tpe",
                "sweep --prune hyperband                 | median",
                "sweep --resume                          | --out",
                "sweep --resume --out nosuch             | nosuch",
                "generate                                | --prompt",
                "generate --prompt x --adapter nosuch    | nosuch",
                "generate --prompts nosuch.txt           | nosuch.txt",
                "inspect nosuch.onnx                     | nosuch.onnx",
                "inspect                                 | MODEL",
                "merge --adapter nosuch --out x.onnx     | nosuch",
                "doctor --backend gpu                    | AUTO, CPU, CUDA"
            })
    void wrong_usage_ends_with_2(String line, String expected) {
        Run run = Run.of(withOut(line.strip().split("\\s+")));
        assertOneSentence(run, 2).contains(expected.strip());
    }

    @Test
    void damaged_onnx_files_end_with_2() throws IOException {
        byte[] whole = Files.readAllBytes(BUNDLED.onnx());
        Path truncated = Files.write(folder.resolve("truncated.onnx"), Arrays.copyOf(whole, whole.length / 2));
        Path noise = Files.write(folder.resolve("noise.onnx"), "no model at all".getBytes());
        Path empty = Files.write(folder.resolve("empty.onnx"), new byte[0]);
        for (Path file : new Path[] {truncated, noise, empty, folder}) {
            assertOneSentence(Run.of("inspect", file.toString()), 2).contains(file.toString());
            assertOneSentence(Run.of("verify", file.toString()), 2).contains(file.toString());
        }
    }

    @Test
    void a_broken_line_of_data_is_named() throws IOException {
        Path broken = folder.resolve("broken.jsonl");
        Files.writeString(broken, "{\"prompt\": \"a\", \"response\": \"b\"}\n{\"prompt\": \"a\", \"resp\n");
        assertOneSentence(fineTune(broken, BUNDLED.onnx()), 2).contains("broken.jsonl", "2");
    }

    @Test
    void data_without_examples_is_refused() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty.jsonl"), "\n");
        assertOneSentence(fineTune(empty, BUNDLED.onnx()), 2).contains("empty.jsonl", "no example");
    }

    @Test
    void a_weight_that_is_not_finite_is_refused() throws IOException {
        assertOneSentence(fineTune(data, modelWithNan()), 2).containsIgnoringCase("finite");
    }

    @Test
    void a_training_that_diverges_says_so_without_names_of_classes() {
        Run run = Run.of(
                withOut(("finetune --train " + data + " --method lora --rank 1 --alpha 1e300 --steps 2 --eval-count 0")
                        .split(" ")));
        assertOneSentence(run, 1).contains("the task loss of step 1 is NaN", "alpha of the adapters");
    }

    @Test
    void a_folder_that_cannot_be_made_is_named() {
        assertOneSentence(Run.of("finetune", "--steps", "2", "--out", "/proc/x"), 2)
                .contains("the folder /proc/x cannot be made", "--out");
    }

    @Test
    void an_adapter_that_is_not_finite_writes_nothing_and_is_unusable_input() throws IOException {
        Path out = folder.resolve("poisoned");
        Run run = Run.of(
                ("finetune --train " + data + " --method lora --rank 1 --steps 1 --batch 2 --eval-count 0 --out " + out)
                        .split(" "));
        assertThat(run.exitCode()).as(run.err()).isZero();
        Path adapter = out.resolve("adapter");
        try (Stream<Path> files = Files.walk(adapter.resolve("native"))) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> assertThat(file.toFile().delete()).isTrue());
        }
        Path tensors = adapter.resolve("adapter_model.safetensors");
        byte[] bytes = Files.readAllBytes(tensors);
        Arrays.fill(bytes, bytes.length - 4, bytes.length, (byte) 0xFF); // NaN
        Files.write(tensors, bytes);
        assertOneSentence(Run.of("generate", "--prompt=1", "--adapter=" + adapter), 2)
                .contains("the model gave NaN logits", "or an adapter's");
    }

    @Test
    void an_adapter_of_another_base_is_refused() throws IOException {
        Path adapter = folder.resolve("other/adapter");
        Run run = Run.of(
                "finetune",
                "--steps",
                "1",
                "--batch",
                "2",
                "--rank",
                "2",
                "--targets",
                "c_proj",
                "--eval-count",
                "0",
                "--method",
                "pissa",
                "--out",
                adapter.getParent().toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        Run generate = Run.of(
                "generate",
                "--model",
                otherModel().toString(),
                "--tokenizer",
                BUNDLED.vocabulary().toString(),
                "--adapter",
                adapter.toString(),
                "--prompt",
                "Tom");
        assertOneSentence(generate, 2).contains("weight");
    }

    @Test
    void used_up_device_memory_ends_with_1_and_advice() {
        Failure failure = Failure.of(new RuntimeException("Allocation failed: [[DEVICE] allocation failed]"));
        assertThat(failure.exitCode()).isEqualTo(1);
        assertThat(failure.sentence()).contains("device's memory", "--batch", "--backend cpu");
    }

    @Test
    void results_that_cannot_be_written_end_with_a_sentence() throws IOException {
        Path file = Files.writeString(folder.resolve("a-file"), "x");
        Run run =
                Run.of("finetune", "--steps", "1", "--out", file.resolve("run").toString());
        assertOneSentence(run, 2).contains("a-file is a file");
        assertThat(Failure.of(new java.nio.file.AccessDeniedException("/x")))
                .isEqualTo(new Failure(1, "no permission to use /x; choose another place or change its permissions"));
        assertThat(Failure.of(new UncheckedIOException(new IOException("No space left on device")))
                        .exitCode())
                .isEqualTo(1);
    }

    @Test
    void unforeseen_failures_end_with_1_and_show_the_stack_only_if_asked() {
        Failure failure = Failure.of(new IllegalStateException("two\n  lines"));
        assertThat(failure.exitCode()).isEqualTo(1);
        assertThat(failure.sentence()).contains("two lines", "--verbose").doesNotContain("\n");
        Run quiet = Run.of("inspect", "nosuch.onnx");
        assertThat(quiet.err()).doesNotContain("\tat ");
        Run verbose = Run.of("inspect", "nosuch.onnx", "--verbose");
        assertThat(verbose.err()).contains("\tat ");
    }

    private static Run fineTune(Path train, Path model) {
        return Run.of(withOut(
                "finetune",
                "--model",
                model.toString(),
                "--tokenizer",
                BUNDLED.vocabulary().toString(),
                "--train",
                train.toString(),
                "--steps",
                "1",
                "--eval-count",
                "0"));
    }

    /** Adds a fresh folder where results would go. */
    private static String[] withOut(String... arguments) {
        boolean needsOut =
                (arguments[0].equals("finetune") || arguments[0].equals("compare") || arguments[0].equals("sweep"))
                        && !Arrays.asList(arguments).contains("--resume");
        return needsOut
                ? Stream.concat(
                                Arrays.stream(arguments),
                                Stream.of("--out", folder.resolve("unused").toString(), "--overwrite"))
                        .toArray(String[]::new)
                : arguments;
    }

    /** The bundled model with other numbers in its first linear weight. */
    private static Path otherModel() throws IOException {
        return changed("other.onnx", 0.25f);
    }

    private static Path modelWithNan() throws IOException {
        return changed("nan.onnx", Float.NaN);
    }

    private static Path changed(String name, float value) throws IOException {
        onnx.Onnx.ModelProto.Builder model =
                onnx.Onnx.ModelProto.parseFrom(Files.readAllBytes(BUNDLED.onnx())).toBuilder();
        for (onnx.Onnx.TensorProto.Builder tensor : model.getGraphBuilder().getInitializerBuilderList()) {
            if (tensor.getName().endsWith("c_proj.weight")) {
                java.nio.ByteBuffer bytes = java.nio.ByteBuffer.wrap(
                                tensor.getRawData().toByteArray())
                        .order(java.nio.ByteOrder.LITTLE_ENDIAN);
                bytes.putFloat(0, value);
                bytes.rewind();
                tensor.setRawData(org.nd4j.shade.protobuf.ByteString.copyFrom(bytes));
            }
        }
        return Files.write(folder.resolve(name), model.build().toByteArray());
    }

    private static org.assertj.core.api.AbstractStringAssert<?> assertOneSentence(Run run, int exitCode) {
        assertThat(run.exitCode()).as(run.err()).isEqualTo(exitCode);
        assertThat(run.err()).doesNotContain("\tat ").doesNotContain("Exception");
        return assertThat(run.error());
    }
}
