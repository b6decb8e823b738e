package dev.samediff.tuning.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.Safetensors;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A trainer's checkpoint as bytes, to travel between processes: adapter tensors, AdamW's moments, and the place in the data.
 * The base model is not in it.
 *
 * @param step updates made
 * @param tensors the file of tensors
 * @param progress the file that says where training stands; holds the tensors' hash
 */
record ShardCheckpoint(int step, byte[] tensors, byte[] progress) implements Serializable {
    private static final String TENSORS = "tensors.safetensors";
    private static final String PROGRESS = "progress.json";
    /** Of the progress without this, written without blanks: trainers refuse a progress that was changed. */
    private static final String OWN_HASH = "sha256";

    private static final String PARAMETER = "parameter/";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Reads the checkpoint of a step from a trainer's folder. */
    static ShardCheckpoint read(Path checkpoints, int step) throws IOException {
        Path folder = folder(checkpoints, step);
        return new ShardCheckpoint(
                step, Files.readAllBytes(folder.resolve(TENSORS)), Files.readAllBytes(folder.resolve(PROGRESS)));
    }

    /** Writes it where a trainer resumes from. */
    void write(Path checkpoints) throws IOException {
        DurableFiles.writeFolder(folder(checkpoints, step), folder -> {
            Files.write(folder.resolve(TENSORS), tensors);
            Files.write(folder.resolve(PROGRESS), progress);
        });
    }

    private static Path folder(Path checkpoints, int step) {
        return checkpoints.resolve("checkpoint-" + step);
    }

    /** Returns the mean over the shards of the task loss, by update. */
    static List<Double> meanLosses(List<ShardCheckpoint> shards) throws IOException {
        double[] sums = new double[shards.get(0).step()];
        for (ShardCheckpoint shard : shards) {
            JsonNode losses = JSON.readTree(shard.progress).path("losses");
            Arrays.setAll(sums, i -> sums[i] + losses.path(i).asDouble(Double.NaN));
        }
        return Arrays.stream(sums).map(sum -> sum / shards.size()).boxed().toList();
    }

    /** Returns the adapters' tensors by variable. */
    Map<String, INDArray> parameters() throws IOException {
        Map<String, INDArray> parameters = new LinkedHashMap<>();
        all().forEach((name, array) -> {
            if (name.startsWith(PARAMETER)) {
                parameters.put(name.substring(PARAMETER.length()), array);
            }
        });
        return parameters;
    }

    /**
     * Returns all shards' checkpoints with the mean of their tensors in the place of each one's.
     *
     * @param moments whether AdamW's moments are averaged too; otherwise each shard keeps its own
     */
    static List<ShardCheckpoint> averaged(List<ShardCheckpoint> shards, boolean moments) throws IOException {
        List<Map<String, INDArray>> all = new ArrayList<>();
        for (ShardCheckpoint shard : shards) {
            all.add(shard.all());
        }
        Predicate<String> isAveraged = name -> moments || name.startsWith(PARAMETER);
        Map<String, INDArray> means = new LinkedHashMap<>();
        for (String name : all.get(0).keySet()) {
            if (isAveraged.test(name)) {
                means.put(name, mean(all, name));
            }
        }
        List<ShardCheckpoint> averaged = new ArrayList<>();
        for (int i = 0; i < shards.size(); i++) {
            Map<String, INDArray> own = new LinkedHashMap<>(all.get(i));
            own.putAll(means);
            averaged.add(shards.get(i).with(own));
        }
        return averaged;
    }

    /** In float64, so that the mean of equal shards is each of them, bit for bit. */
    private static INDArray mean(List<Map<String, INDArray>> all, String name) {
        INDArray sum = array(all.get(0), name).castTo(DataType.DOUBLE).dup();
        for (Map<String, INDArray> other : all.subList(1, all.size())) {
            sum.addi(array(other, name).castTo(DataType.DOUBLE));
        }
        return sum.divi(all.size()).castTo(array(all.get(0), name).dataType());
    }

    private static INDArray array(Map<String, INDArray> tensors, String name) {
        INDArray array = tensors.get(name);
        if (array == null) {
            throw new IllegalStateException("a shard has no tensor " + name + "; it has " + tensors.keySet());
        }
        return array;
    }

    private Map<String, INDArray> all() throws IOException {
        Path file = Files.createTempFile("shard", ".safetensors");
        try {
            Files.write(file, tensors);
            return Safetensors.read(file).tensors();
        } finally {
            Files.delete(file);
        }
    }

    private ShardCheckpoint with(Map<String, INDArray> other) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new Safetensors(other, Map.of()).writeTo(bytes);
        ObjectNode json = (ObjectNode) JSON.readTree(progress);
        json.put("tensors_sha256", sha256(bytes.toByteArray()));
        json.remove(OWN_HASH);
        json.put(OWN_HASH, sha256(json.toString().getBytes(StandardCharsets.UTF_8)));
        return new ShardCheckpoint(step, bytes.toByteArray(), JSON.writeValueAsBytes(json));
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
