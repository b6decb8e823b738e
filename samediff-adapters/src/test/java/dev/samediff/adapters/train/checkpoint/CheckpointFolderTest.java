package dev.samediff.adapters.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.Sha256;
import dev.samediff.adapters.train.Evaluation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** What lies in a folder of checkpoints, and what a damaged one is taken for. */
class CheckpointFolderTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private static Checkpoint checkpoint(int step) {
        TrainingState state = new TrainingState();
        state.step = step;
        state.losses.addAll(List.of(2.5, 1e-5, Double.NaN));
        state.evaluations.add(new Evaluation(step, 1.25, 100, true));
        state.bestLoss = 1.25;
        return Checkpoint.of(
                state,
                step,
                Map.of("steps", "10"),
                Map.of("method", "lora"),
                Map.of("training batch size", "4"),
                Map.of("parameter/a", Nd4j.ones(DataType.FLOAT, 2, 3)));
    }

    private void save(int step, int kept) throws IOException {
        new CheckpointFolder(folder).save(step, kept, checkpoint(step)::write);
    }

    @Test
    void a_checkpoint_comes_back() throws IOException {
        save(3, 1);
        Checkpoint.Progress read = new CheckpointFolder(folder).newest().progress();
        assertThat(read.losses()).isEqualTo(checkpoint(3).progress().losses());
        assertThat(read.evaluations()).isEqualTo(checkpoint(3).progress().evaluations());
        assertThat(read.bestLoss()).isEqualTo(1.25);
        assertThat(read.plan()).isEqualTo(Map.of("steps", "10"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "checkpoint-99999999999",
                "checkpoint-2147483648",
                "checkpoint-99999999999999999999999999",
                "checkpoint--1",
                "checkpoint-",
                "checkpoint-007",
                "checkpoint-9.5",
                "checkpoint-best"
            })
    void strays_are_passed_over_and_stay(String name) throws IOException {
        Files.createDirectory(folder.resolve(name));
        Files.writeString(folder.resolve("checkpoint-9"), "a file");
        save(3, 1);
        save(4, 1);
        assertThat(new CheckpointFolder(folder).newest().progress().step()).isEqualTo(4);
        assertThat(names()).containsExactlyInAnyOrder(name, "checkpoint-4", "checkpoint-9");
    }

    @Test
    void checkpoints_of_another_program_are_not_removed() throws IOException {
        Path theirs = Files.createDirectory(folder.resolve("checkpoint-1"));
        Files.writeString(theirs.resolve("trainer_state.json"), "{}");
        save(2, 1);
        save(3, 1);
        new CheckpointFolder(folder).clear();
        assertThat(names()).containsExactly("checkpoint-1");
        assertThat(theirs.resolve("trainer_state.json")).exists();
        assertThatThrownBy(() -> save(1, 1))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("trainer_state.json");
    }

    @Test
    void every_value_may_not_be_null_and_only_the_best_loss_may_be() throws IOException {
        save(3, 1);
        Path file = folder.resolve("checkpoint-3/progress.json");
        List<String> paths = new ArrayList<>();
        collect("", JSON.readTree(file.toFile()), paths);
        assertThat(paths)
                .contains("/losses", "/losses/0", "/evaluations/0", "/evaluations/0/loss", "/plan/steps", "/model");
        byte[] whole = Files.readAllBytes(file);
        for (String path : paths) {
            for (boolean signed : List.of(false, true)) {
                change(file, path, node -> NullNode.instance, signed);
                if (path.equals("/best_loss") && signed) {
                    assertThat(Checkpoint.read(folder.resolve("checkpoint-3"))
                                    .progress()
                                    .bestLoss())
                            .isNull();
                } else {
                    assertThatThrownBy(() -> Checkpoint.read(folder.resolve("checkpoint-3")))
                            .as(path)
                            .isInstanceOf(IOException.class)
                            .hasMessageContaining("progress.json");
                }
                Files.write(file, whole);
            }
        }
    }

    @Test
    void every_changed_or_missing_value_is_noticed() throws IOException {
        save(3, 1);
        Path file = folder.resolve("checkpoint-3/progress.json");
        List<String> paths = new ArrayList<>();
        collect("", JSON.readTree(file.toFile()), paths);
        byte[] whole = Files.readAllBytes(file);
        for (String path : paths) {
            change(file, path, node -> node.isNumber() ? IntNode.valueOf(-7) : JSON.createObjectNode(), false);
            assertThatThrownBy(() -> Checkpoint.read(folder.resolve("checkpoint-3")))
                    .as(path)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("progress.json");
            Files.write(file, whole);
            change(file, path, node -> MissingNode.getInstance(), path.lastIndexOf('/') == 0);
            assertThatThrownBy(() -> Checkpoint.read(folder.resolve("checkpoint-3")))
                    .as(path + " missing")
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("progress.json");
            Files.write(file, whole);
        }
    }

    @Test
    void a_checkpoint_of_an_earlier_build_has_no_hash_and_is_read() throws IOException {
        save(3, 1);
        Path file = folder.resolve("checkpoint-3/progress.json");
        ObjectNode root = (ObjectNode) JSON.readTree(file.toFile());
        root.put("version", 1).remove("sha256");
        Files.writeString(file, root.toString());
        assertThat(new CheckpointFolder(folder).newest().progress().step()).isEqualTo(3);
        Files.writeString(file, root.putNull("losses").toString());
        assertThatThrownBy(() -> Checkpoint.read(folder.resolve("checkpoint-3")))
                .hasMessageContaining("`losses` is null");
    }

    private static void collect(String path, JsonNode node, List<String> paths) {
        if (!path.isEmpty()) {
            paths.add(path);
        }
        node.properties()
                .forEach(field -> collect(path + "/" + field.getKey().replace("/", "~1"), field.getValue(), paths));
        for (int i = 0; node.isArray() && i < node.size(); i++) {
            collect(path + "/" + i, node.get(i), paths);
        }
    }

    /** Changes a value; signed, as by somebody who also computes the hash again. */
    private static void change(Path file, String path, Function<JsonNode, JsonNode> change, boolean signed)
            throws IOException {
        ObjectNode root = (ObjectNode) JSON.readTree(file.toFile());
        int slash = path.lastIndexOf('/');
        JsonNode parent = root.at(path.substring(0, slash));
        String key = path.substring(slash + 1).replace("~1", "/");
        JsonNode changed = change.apply(root.at(path));
        if (parent instanceof ArrayNode array) {
            if (changed.isMissingNode()) {
                array.remove(Integer.parseInt(key));
            } else {
                array.set(Integer.parseInt(key), changed);
            }
        } else if (changed.isMissingNode()) {
            ((ObjectNode) parent).remove(key);
        } else {
            ((ObjectNode) parent).set(key, changed);
        }
        if (signed && !key.equals("sha256")) {
            root.remove("sha256");
            root.put("sha256", Sha256.of(root.toString().getBytes(StandardCharsets.UTF_8)));
        }
        Files.writeString(file, root.toString());
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }
}
