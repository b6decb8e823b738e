package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.testing.Effort;
import dev.samediff.adapters.testing.Programs;
import dev.samediff.samples.model.BundledModel;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever lies where a command expects a file: the command says so at once, in a sentence, and ends with 2. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class HostilePlacesTest {
    private static final int DEEP = 100_000;
    private static final long HUGE = 20L << 30;

    @TempDir
    static Path together;

    @TempDir
    Path folder;

    /** Something that is not what is expected. */
    private enum Obstacle {
        NOTHING,
        EMPTY,
        FOLDER,
        PIPE,
        LOOP,
        HUGE_HOLE,
        DEEP_JSON,
        CONTROLS;

        void put(Path path) throws Exception {
            switch (this) {
                case NOTHING -> Files.deleteIfExists(path);
                case EMPTY -> Files.write(path, new byte[0]);
                case FOLDER -> Files.createDirectory(path);
                case PIPE -> assumeTrue(Programs.succeeds("mkfifo", path.toString()), "needs the program mkfifo");
                case LOOP -> Files.createSymbolicLink(path, path.getFileName());
                case HUGE_HOLE -> {
                    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
                        file.setLength(HUGE);
                    }
                }
                case DEEP_JSON -> Files.writeString(path, "[".repeat(DEEP) + "]".repeat(DEEP));
                default -> Files.writeString(path, "{\"\u001b[31m\u0007\": \"\\u001b]0;x\\u0007\"}\n");
            }
        }
    }

    /** A command, and the file of it that is not there as it should be. */
    private enum Place {
        MODEL("m.onnx", "inspect F/m.onnx"),
        GRAPH("m.pb", "inspect F/m.pb"),
        GRAPH_TEXT("m.pbtxt", "inspect F/m.pbtxt"),
        SAVED_MODEL("saved_model.pb", "inspect F"),
        TOKENIZER("t.json", "generate --prompt a --model MODEL --tokenizer F/t.json"),
        PROMPTS("p.txt", "generate --max-tokens 1 --prompts F/p.txt"),
        PEFT_CONFIGURATION("adapter/adapter_config.json", "merge --adapter F/adapter --out F/out.onnx"),
        PEFT_TENSORS("adapter/adapter_model.safetensors", "merge --adapter F/adapter --out F/out.onnx"),
        NATIVE_CONFIGURATION("adapter/native/adapter.json", "merge --adapter F/adapter --out F/out.onnx"),
        NATIVE_TENSORS("adapter/native/adapter.safetensors", "convert --adapter F/adapter --out F/out"),
        TABLE("d.csv", "finetune --task classify --model MODEL --tokenizer VOCAB --train F/d.csv --out F/out"),
        TAGS("d.conll", "finetune --task tag --model MODEL --tokenizer VOCAB --train F/d.conll --out F/out"),
        TASK("task.json", "predict --run F --text a"),
        DATA("d.jsonl", "finetune --steps 1 --train F/d.jsonl --eval-count 0 --out F/out"),
        SPACE("s.json", "sweep --trials 1 --steps 1 --space F/s.json --out F/out"),
        SWEEP("sweep.json", "sweep --out F --resume");

        private final String file;
        private final String command;

        Place(String file, String command) {
            this.file = file;
            this.command = command;
        }

        /** What the command does without an error. */
        boolean takes(Obstacle obstacle) {
            return this == PROMPTS && (obstacle == Obstacle.DEEP_JSON || obstacle == Obstacle.CONTROLS);
        }
    }

    @BeforeAll
    static void train() {
        Run run = Run.of(
                ("finetune --steps 1 --batch 2 --rank 2 --targets c_attn --method sorsa --eval-every 0 --eval-count 0 --out "
                                + together.resolve("run"))
                        .split(" "));
        assertThat(run.exitCode()).as(run.err()).isZero();
    }

    static Stream<Arguments> all() {
        return Stream.of(Place.values())
                .flatMap(place -> Stream.of(Obstacle.values()).map(obstacle -> Arguments.of(place, obstacle)));
    }

    @ParameterizedTest
    @MethodSource("all")
    void it_is_said_in_a_sentence(Place place, Obstacle obstacle) throws Exception {
        Path adapter = folder.resolve("adapter");
        Programs.succeeds("cp", "-r", together.resolve("run/adapter").toString(), adapter.toString());
        if (place.file.endsWith("adapter_config.json") || place.file.endsWith("adapter_model.safetensors")) {
            Programs.succeeds("rm", "-r", adapter.resolve("native").toString());
        }
        Path file = folder.resolve(place.file);
        Files.deleteIfExists(file);
        obstacle.put(file);
        List<String> words = new ArrayList<>();
        for (String word : place.command.split(" ")) {
            words.add(
                    word.equals("F") || word.startsWith("F/")
                            ? folder + word.substring(1)
                            : word.replace(
                                            "MODEL",
                                            BundledModel.extract().onnx().toString())
                                    .replace(
                                            "VOCAB",
                                            BundledModel.extract().vocabulary().toString()));
        }
        Run run = Effort.within(
                Duration.ofSeconds(place.takes(obstacle) ? 15 : 5), () -> Run.of(words.toArray(String[]::new)));
        assertThat(run.exitCode()).as(run.err()).isEqualTo(place.takes(obstacle) ? 0 : 2);
        if (!place.takes(obstacle)) {
            assertThat(run.error()).doesNotContain("Exception", "java.", "jackson", "dev.samediff", "\u001b", "\u0007");
        }
    }
}
