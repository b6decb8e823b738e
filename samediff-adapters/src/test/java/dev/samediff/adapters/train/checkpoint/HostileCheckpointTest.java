package dev.samediff.adapters.train.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.io.FolderManifest;
import dev.samediff.adapters.io.Sha256;
import dev.samediff.adapters.testing.HostileFiles;
import dev.samediff.adapters.train.Evaluation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** Checkpoints that were changed are passed over or read, also where their hashes were put right. Longer: {@code -Dmutations=2000}. */
class HostileCheckpointTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, String> PLAN = Map.of("steps", "10", "seed", "1");
    private static final Map<String, String> MODEL = Map.of("method", "lora", "layers", "a b");
    private static final Map<String, String> DATA = Map.of("training batch size", "4");

    @TempDir
    Path folder;

    private Path checkpoints() throws IOException {
        TrainingState state = new TrainingState();
        state.step = 3;
        state.losses.addAll(List.of(2.5, 1e-5, Double.NaN));
        state.evaluations.add(new Evaluation(3, 1.25, 100, true));
        state.bestLoss = 1.25;
        Checkpoint checkpoint =
                Checkpoint.of(state, 3, PLAN, MODEL, DATA, Map.of("parameter/a", Nd4j.ones(DataType.FLOAT, 2, 3)));
        Path checkpoints = folder.resolve("checkpoints");
        Path saved = new CheckpointFolder(checkpoints).save(3, 1, checkpoint::write);
        Files.deleteIfExists(saved.resolve(FolderManifest.NAME));
        return checkpoints;
    }

    private static void resume(Path checkpoints) throws IOException {
        Checkpoint newest = new CheckpointFolder(checkpoints).newest();
        newest.requireSame(PLAN, MODEL);
        newest.requireSameData(DATA);
        TrainingState state = new TrainingState();
        state.restore(newest.progress(), null);
    }

    /** As somebody would who wants his change to be taken. */
    private static void hashAgain(Path checkpoint) throws IOException {
        Path file = checkpoint.resolve("progress.json");
        JsonNode json;
        try {
            json = JSON.readTree(file.toFile());
        } catch (IOException notJson) {
            return;
        }
        if (json instanceof ObjectNode object) {
            object.put("tensors_sha256", Sha256.of(checkpoint.resolve("tensors.safetensors")));
            object.remove("sha256");
            object.put("sha256", Sha256.of(object.toString().getBytes(StandardCharsets.UTF_8)));
            Files.write(file, object.toString().getBytes(StandardCharsets.UTF_8));
        }
    }

    @Test
    void a_changed_checkpoint_is_noticed() throws IOException {
        new HostileFiles("checkpoint", checkpoints(), folder).read(HostileCheckpointTest::resume);
    }

    @Test
    void a_checkpoint_changed_with_its_hashes_is_used_or_refused() throws IOException {
        new HostileFiles("checkpoint, hashed again", checkpoints(), folder).read(changed -> {
            Path copy = Files.createTempDirectory(folder, "hashed").resolve("checkpoint-3");
            Files.createDirectory(copy);
            for (String name : List.of("progress.json", "tensors.safetensors")) {
                Files.copy(changed.resolve("checkpoint-3").resolve(name), copy.resolve(name));
            }
            hashAgain(copy);
            resume(copy.getParent());
        });
    }
}
