package dev.samediff.samples.bench.network;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A folder with everything a training step needs, for this library and for others:
 *
 * <pre>
 * model.onnx            the network, with its numbers in
 * weights.safetensors   by the graph's names; matrices are [in,out]
 * batch.safetensors     input_ids and labels [B,T] int64; every label counts
 * METHOD/native/adapter.safetensors   start.MODULE.TENSOR: the adapter's tensors, for y = x W
 * </pre>
 *
 * @param folder the folder
 */
public record Workload(Path folder) {
    /** Rank of every adapter. */
    public static final int RANK = 16;

    private static final String WEIGHTS = "weights.safetensors";
    private static final String BATCH = "batch.safetensors";
    private static final String IDS = "input_ids";
    private static final String LABELS = "labels";

    /** A batch: tokens and, for each, the one that follows, int64 and int32 [B,T]. */
    public record Batch(INDArray ids, INDArray labels) {}

    /** Writes the network and a batch of random tokens into a folder, unless it has them. */
    public static Workload write(Network network, Path folder) throws IOException {
        Workload workload = new Workload(folder);
        if (!Files.exists(folder.resolve(BATCH))) {
            Files.createDirectories(folder);
            GptFile.writeBeside(network, workload.model(), folder.resolve(WEIGHTS));
            new Safetensors(tokens(network), Safetensors.PYTORCH).write(folder.resolve(BATCH));
        }
        return workload;
    }

    /** Writes the start of an adapter on every linear layer, the head included, unless the folder has it. */
    public void writeStart(AdapterMethod method) throws IOException {
        if (Files.exists(adapter(method.name()))) {
            return;
        }
        ImportedModel imported = OnnxImporter.load(model());
        AdapterConfig config =
                AdapterConfig.of(method).withTargets(TargetSelector.allLinear().withHead());
        AdaptedModel adapted = AdaptedModel.inject(imported, config);
        AdapterFolder.save(adapted.state(), adapter(method.name()));
    }

    /** Returns the ONNX file. */
    public Path model() {
        return folder.resolve("model.onnx");
    }

    /** Returns the folder of a method's start. */
    public Path adapter(String method) {
        return folder.resolve(method);
    }

    /** Reads the batch. */
    public Batch batch() throws IOException {
        Map<String, INDArray> tensors = Safetensors.read(folder.resolve(BATCH)).tensors();
        INDArray ids = tensors.get(IDS);
        INDArray labels = tensors.get(LABELS);
        if (ids == null || labels == null) {
            throw new IOException(folder.resolve(BATCH) + " lacks " + IDS + " or " + LABELS + "; delete the folder");
        }
        return new Batch(ids, labels.castTo(DataType.INT32));
    }

    private static Map<String, INDArray> tokens(Network network) {
        SplittableRandom random = new SplittableRandom(network.hashCode());
        long[][] ids = new long[network.batch()][network.length()];
        long[][] labels = new long[network.batch()][network.length()];
        for (int row = 0; row < ids.length; row++) {
            long next = random.nextInt(network.vocabulary());
            for (int t = 0; t < ids[row].length; t++) {
                ids[row][t] = next;
                next = random.nextInt(network.vocabulary());
                labels[row][t] = next;
            }
        }
        return Map.of(IDS, Nd4j.createFromArray(ids), LABELS, Nd4j.createFromArray(labels));
    }
}
