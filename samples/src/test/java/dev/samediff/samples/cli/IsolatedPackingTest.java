package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --pack isolated}, on the decoders of {@code task_models.py}, whose masks are of pairs of tokens. */
class IsolatedPackingTest {
    private static final Path MODELS = Path.of("src/test/resources/tasks");

    @TempDir
    Path folder;

    @BeforeEach
    void write_examples() throws IOException {
        Files.write(
                folder.resolve("train.jsonl"),
                List.of(
                        "{\"prompt\": \"ab\", \"response\": \"cd\"}",
                        "{\"prompt\": \"efg\", \"response\": \"h\"}",
                        "{\"prompt\": \"x\", \"response\": \"yzxyz\"}",
                        "{\"prompt\": \"mnop\", \"response\": \"qr\"}",
                        "{\"prompt\": \"a\", \"response\": \"b\"}"));
    }

    private Run fineTune(String model, String... more) {
        return Run.of(Stream.concat(
                        Stream.of(("finetune --json --tokenizer " + MODELS.resolve("letters.json")
                                        + " --method lora --rank 2"
                                        + " --batch 5 --steps 6 --lr 3e-2 --warmup 0 --eval-count 2 --train "
                                        + folder.resolve("train.jsonl") + " --eval "
                                        + folder.resolve("train.jsonl") + " --model " + MODELS.resolve(model)
                                        + " --max-length 18")
                                .split(" ")),
                        Stream.of(more))
                .toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"decoder.onnx", "decoder_added.onnx"})
    void a_row_of_several_examples_teaches_what_the_examples_alone_teach(String model) {
        Run alone = fineTune(model, "--out", folder.resolve("alone").toString());
        assertThat(alone.exitCode()).as(alone.err()).isZero();
        Run packed = fineTune(
                model, "--pack", "isolated", "--out", folder.resolve("packed").toString());
        assertThat(packed.exitCode()).as(packed.err()).isZero();
        JsonNode expected = alone.json();
        double before = expected.required("eval_loss_before").asDouble();
        double after = expected.required("eval_loss_after").asDouble();
        assertThat(after).isLessThan(0.95 * before);
        assertThat(packed.json().required("eval_loss_after").asDouble()).isCloseTo(after, within(1e-5 * after));
        Run seen = fineTune(
                model, "--pack", "best-fit", "--out", folder.resolve("seen").toString());
        assertThat(seen.json().required("eval_loss_after").asDouble()).isNotCloseTo(after, within(1e-4 * after));
    }

    @Test
    void trials_of_a_sweep_are_packed_too() throws IOException {
        Path space =
                Files.writeString(folder.resolve("space.json"), "{\"schema\": 1, \"parameters\": {\"rank\": [1, 2]}}");
        Path model = MODELS.resolve("decoder.onnx");
        Run run = Run.of(("sweep --json --tokenizer " + MODELS.resolve("letters.json") + " --model " + model
                        + " --pack isolated --max-length 18 --batch 5 --steps 2 --trials 2 --search random --space "
                        + space + " --train "
                        + folder.resolve("train.jsonl") + " --eval " + folder.resolve("train.jsonl") + " --out "
                        + folder.resolve("sweep"))
                .split(" "));
        assertThat(run.exitCode()).as(run.err()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"finetune", "compare", "sweep"})
    void a_model_whose_mask_is_of_tokens_is_refused_with_what_it_lacks(String command) {
        Path out = folder.resolve("refused");
        Run run = Run.of(command, "--train=" + folder.resolve("train.jsonl"), "--pack=isolated", "--out=" + out);
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(out).doesNotExist();
        assertThat(run.error())
                .contains(
                        "this one has the inputs input_ids",
                        "attention_mask [batch, 1, sequence, sequence]",
                        "--pack none");
    }
}
