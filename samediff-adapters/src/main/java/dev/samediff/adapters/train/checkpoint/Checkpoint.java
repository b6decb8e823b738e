package dev.samediff.adapters.train.checkpoint;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.adapters.io.Sha256;
import dev.samediff.adapters.train.Evaluation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Everything that continues training as if it had never stopped: parameters and AdamW's moments as safetensors, the rest
 * as JSON.
 *
 * @param progress the numbers
 * @param tensors parameters, moments and best parameters by {@link #key}
 */
record Checkpoint(Progress progress, Map<String, INDArray> tensors) {
    static final String PARAMETER = "parameter";
    static final String BEST = "best";
    static final String FOLLOWER = "after_step";

    private static final String TENSOR_FILE = "tensors.safetensors";
    private static final String PROGRESS_FILE = "progress.json";
    /** 1 had no hash in progress.json. */
    private static final int VERSION = 2;

    /** What version 1 did not have either: it says nothing of the data. */
    private static final Map<String, JsonNode> SINCE_2 =
            Map.of("run_start", IntNode.valueOf(0), "batches", NullNode.getInstance(), "data", NullNode.getInstance());

    private static final Set<Integer> READABLE = Set.of(1, VERSION);

    /** Parts of a model's description that checkpoints of earlier builds do not have. */
    private static final Set<String> LATER = Set.of("layers", "scaling");

    /** The only value that may be missing: there is no best loss before the first evaluation. */
    private static final String BEST_LOSS = "best_loss";

    /**
     * Where training stands, and what it is a training of.
     *
     * @param version version of this format
     * @param step updates made
     * @param runStart updates made before the present run
     * @param epoch complete epochs
     * @param position batches taken from the open epoch
     * @param batches checksum of all batches that were taken; null in checkpoints of earlier versions
     * @param optimizerSteps AdamW's t
     * @param bestLoss smallest evaluation loss; null before the first
     * @param evaluationsWithoutImprovement for early stopping
     * @param losses task loss of every update
     * @param evaluations all evaluations
     * @param plan the plan's parts
     * @param model what identifies model and method
     * @param data what the batches depend on, as far as their iterators say; null in checkpoints of earlier versions
     * @param tensorsSha256 hash of the tensor file
     */
    record Progress(
            @JsonProperty("version") int version,
            @JsonProperty("step") int step,
            @JsonProperty("run_start") int runStart,
            @JsonProperty("epoch") int epoch,
            @JsonProperty("position") int position,
            @JsonProperty("batches") @Nullable String batches,
            @JsonProperty("optimizer_steps") long optimizerSteps,
            @JsonProperty(BEST_LOSS) @Nullable Double bestLoss,
            @JsonProperty("evaluations_without_improvement") int evaluationsWithoutImprovement,
            @JsonProperty("losses") List<Double> losses,
            @JsonProperty("evaluations") List<Evaluation> evaluations,
            @JsonProperty("plan") Map<String, String> plan,
            @JsonProperty("model") Map<String, String> model,
            @JsonProperty("data") @Nullable Map<String, String> data,
            @JsonProperty("tensors_sha256") String tensorsSha256) {
        Progress {
            if (!READABLE.contains(version)) {
                throw new InvalidInputException(
                        "the checkpoint has version " + version + ", this program reads up to version " + VERSION);
            }
        }

        private Progress withHash(String hash) {
            return new Progress(
                    version,
                    step,
                    runStart,
                    epoch,
                    position,
                    batches,
                    optimizerSteps,
                    bestLoss,
                    evaluationsWithoutImprovement,
                    losses,
                    evaluations,
                    plan,
                    model,
                    data,
                    hash);
        }
    }

    /** Captures a trainer's state; the tensors are those of the trainer, not copies. */
    static Checkpoint of(
            TrainingState state,
            long optimizerSteps,
            Map<String, String> plan,
            Map<String, String> model,
            Map<String, String> data,
            Map<String, INDArray> tensors) {
        return new Checkpoint(
                new Progress(
                        VERSION,
                        state.step,
                        state.runStart,
                        state.epoch,
                        state.position,
                        state.batches,
                        optimizerSteps,
                        Double.isInfinite(state.bestLoss) ? null : state.bestLoss,
                        state.evaluationsWithoutImprovement,
                        List.copyOf(state.losses),
                        List.copyOf(state.evaluations),
                        plan,
                        model,
                        data,
                        ""),
                tensors);
    }

    static String key(String kind, String variable) {
        return kind + "/" + variable;
    }

    /** Returns the tensors of a kind by the rest of their names. */
    Map<String, INDArray> tensors(String kind) {
        Map<String, INDArray> found = new TreeMap<>();
        String prefix = key(kind, "");
        tensors.forEach((name, tensor) -> {
            if (name.startsWith(prefix)) {
                found.put(name.substring(prefix.length()), tensor);
            }
        });
        return found;
    }

    private static ProgressFile progressFile(Path folder) {
        return new ProgressFile(folder.resolve(PROGRESS_FILE), Set.of(BEST_LOSS), VERSION, SINCE_2);
    }

    /** Writes the files into an existing folder. */
    void write(Path folder) throws IOException {
        Path file = folder.resolve(TENSOR_FILE);
        new Safetensors(tensors, Map.of()).write(file);
        progressFile(folder).write(progress.withHash(Sha256.of(file)));
    }

    /**
     * Reads a checkpoint's folder.
     *
     * @throws IOException if a file is missing or not what was written
     */
    static Checkpoint read(Path folder) throws IOException {
        Progress progress = progressFile(folder).read(Progress.class);
        Path file = folder.resolve(TENSOR_FILE);
        if (!Sha256.of(file).equals(progress.tensorsSha256())) {
            throw new IOException(file + " is damaged: its hash is not the one in " + PROGRESS_FILE);
        }
        return new Checkpoint(progress, Safetensors.read(file).tensors());
    }

    /**
     * Refuses to continue something else.
     *
     * @throws InvalidInputException that names every part that differs
     */
    void requireSame(Map<String, String> plan, Map<String, String> model) {
        StringBuilder differences = new StringBuilder();
        compare("plan", progress.plan(), plan, differences);
        compare("model", progress.model(), model, differences);
        refuse(differences, "settings");
    }

    /**
     * Refuses to continue with other data. What a checkpoint of an earlier version does not say is not compared.
     *
     * @throws InvalidInputException that names every part that differs
     */
    void requireSameData(Map<String, String> data) {
        Map<String, String> saved = progress.data();
        if (saved != null) {
            StringBuilder differences = new StringBuilder();
            compare("data", saved, data, differences);
            refuse(differences, "data and the same batches");
        }
    }

    private void refuse(StringBuilder differences, String what) {
        if (!differences.isEmpty()) {
            throw new InvalidInputException("the checkpoint of step " + progress.step()
                    + " belongs to another training:" + differences
                    + ". Give the same " + what + ", or start anew in another directory");
        }
    }

    private static void compare(
            String what, Map<String, String> saved, Map<String, String> given, StringBuilder differences) {
        TreeSet<String> names = new TreeSet<>(saved.keySet());
        names.addAll(given.keySet());
        for (String name : names) {
            if (LATER.contains(name) && !saved.containsKey(name)) {
                continue;
            }
            String before = saved.getOrDefault(name, "nothing");
            String now = given.getOrDefault(name, "nothing");
            if (!before.equals(now)) {
                differences
                        .append(differences.isEmpty() ? " " : "; ")
                        .append(what + "'s " + name + " was " + before + " and is now " + now);
            }
        }
    }
}
