package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.importer.huggingface.Families;
import dev.samediff.importer.huggingface.HubFolder;
import dev.samediff.importer.huggingface.HubFolder.StoredTensor;
import dev.samediff.importer.onnx.OnnxWeightEditor;
import dev.samediff.importer.onnx.TensorData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Writes a Hugging Face folder with other weights: the same files, names, shapes and types, and what lies beside them (configuration,
 * tokenizer, generation settings), so that whatever reads the folder reads the merged one.
 */
public final class HuggingFaceWriter {
    private static final String KIND = "model";
    private static final int PIECE = 1 << 20;
    private static final long MOST_BESIDE = 64L << 20;

    /** Ends of names of weights in other formats, which would be those of the old model. */
    private static final List<String> OTHER_WEIGHTS = List.of(
            ".safetensors", ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx", ".onnx_data", ".data", ".ckpt");

    private HuggingFaceWriter() {}

    /** Returns whether a model was imported from a Hugging Face folder, so that it can be written as one. */
    public static boolean isFolder(ImportedModel model) {
        return model.source().endsWith(HubFolder.CONFIG);
    }

    /**
     * Writes a copy of a folder with other weights. Tensors that are not given are copied byte for byte; nothing of the model is whole in
     * memory.
     *
     * @param model the import of the folder
     * @param weights new values by the name of the graph's weight variable, in its shape: what {@code AdaptedModel.mergedWeights()} gives;
     *     they are rounded to nearest even, to the type of the tensor in the file
     * @param target the folder to write; one that this has written before is replaced
     * @return names of files beside the model that were not copied: weights in other formats, what is larger than 64 MiB, folders
     * @throws InvalidInputException if the model is not of such a folder, has new tokens or heads, a name, shape or number has no place in
     *     its files, or the model itself or another folder is at the target
     * @throws UncheckedIOException if the target cannot be written; it is then as it was
     */
    public static List<String> writeMerged(ImportedModel model, Map<String, INDArray> weights, Path target) {
        if (!isFolder(model)) {
            throw new InvalidInputException(
                    model.source() + " is not of a Hugging Face folder; write it as ONNX, which it was imported from");
        }
        model.requireUnchanged();
        model.requireNothingAdded();
        model.requireSameVocabulary();
        if (!model.heads().isEmpty()) {
            throw new InvalidInputException(
                    "the model has a head that its folder does not have; a folder of its architecture has no place for it: write a file"
                            + " that ends with .onnx");
        }
        HubFolder folder = HubFolder.read(model.source().toAbsolutePath().resolveSibling(""));
        requireElsewhere(folder.path(), target);
        Map<String, INDArray> byTensor = new LinkedHashMap<>();
        weights.forEach((weight, values) -> byTensor.put(tensor(model, folder, weight, values), values));
        Set<String> tensors = files(folder);
        List<String> leftOut = new ArrayList<>();
        try {
            DurableFiles.writeFolder(target, KIND, out -> {
                leftOut.addAll(copyBeside(folder, tensors, out));
                for (String file : tensors) {
                    write(folder, file, byTensor, out.resolve(file));
                }
                verify(folder, HubFolder.read(out));
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return List.copyOf(leftOut);
    }

    /**
     * Refuses to write a model over itself: it is what the adapters belong to, and would be lost.
     *
     * @param folder the model's folder
     * @param target where one is to be written
     * @throws InvalidInputException if they are the same, by whatever name
     */
    public static void requireElsewhere(Path folder, Path target) {
        try {
            if (Files.exists(target) && Files.isSameFile(folder, target)) {
                throw new InvalidInputException(target + " is the model itself, which the adapter belongs to and which"
                        + " would be lost; name another folder");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the tensor that a weight is stored as. */
    private static String tensor(ImportedModel model, HubFolder folder, String weight, INDArray values) {
        if (isShared(model, weight)) {
            throw new InvalidInputException(
                    "`" + weight + "` is the table of the tokens and the head in one"
                            + " (tie_word_embeddings), and only one of the two is adapted; a folder has no place for both: write ONNX");
        }
        String stored = Families.stored(folder, model.initializers().getOrDefault(weight, weight));
        StoredTensor found = folder.tensors().get(stored);
        if (found == null) {
            throw new InvalidInputException(
                    "the weight `" + weight + "` is no tensor of " + folder.path()
                            + " but computed from some, or was made for the adapters; a folder has no place for it: write ONNX");
        }
        if (!Arrays.equals(found.tensor().shape(), values.shape())) {
            throw new InvalidInputException(
                    "the weight `" + weight + "` has the shape " + Arrays.toString(values.shape())
                            + ", and the tensor `" + stored + "` of " + folder.path() + " "
                            + Arrays.toString(found.tensor().shape()));
        }
        new TensorData.Values(values, type(found.tensor().type())).requireHeld(weight);
        return stored;
    }

    /** Whether a weight's tensor is both the table of the tokens and the head. */
    private static boolean isShared(ImportedModel model, String weight) {
        String own = model.initializers().getOrDefault(weight, weight);
        return isCopy(own)
                || model.linearLayers().stream()
                        .map(LinearLayer::initializer)
                        .anyMatch(head ->
                                isCopy(head) && OnnxWeightEditor.original(head).equals(own));
    }

    /** Whether a tensor is the head's copy of a table. */
    private static boolean isCopy(String initializer) {
        return !OnnxWeightEditor.original(initializer).equals(initializer);
    }

    private static Set<String> files(HubFolder folder) {
        return folder.tensors().values().stream().map(StoredTensor::file).collect(Collectors.toSet());
    }

    /** Copies configuration, tokenizer and the like; returns the names of what is left where it is. */
    private static List<String> copyBeside(HubFolder folder, Set<String> tensors, Path out) throws IOException {
        List<String> leftOut = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder.path())) {
            for (Path file : files.sorted().toList()) {
                String name = String.valueOf(file.getFileName());
                if (belongs(file, name)) {
                    Files.copy(file, out.resolve(name));
                } else if (!tensors.contains(name) && !name.startsWith(".")) {
                    leftOut.add(name);
                }
            }
        }
        return leftOut;
    }

    private static boolean belongs(Path file, String name) {
        return Files.isRegularFile(file)
                && !name.startsWith(".")
                && OTHER_WEIGHTS.stream().noneMatch(name::endsWith)
                && file.toFile().length() <= MOST_BESIDE;
    }

    /** The header stays as it is, because no name, type, shape or place changes. */
    private static void write(HubFolder folder, String file, Map<String, INDArray> weights, Path to)
            throws IOException {
        Files.copy(folder.path().resolve(file), to);
        try (FileChannel channel = FileChannel.open(to, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            for (Map.Entry<String, INDArray> weight : weights.entrySet()) {
                StoredTensor stored = folder.tensors().get(weight.getKey());
                if (stored != null && stored.file().equals(file)) {
                    long start = stored.tensor().offset();
                    TensorData data = new TensorData.Values(
                            weight.getValue(), type(stored.tensor().type()));
                    data.forEachPiece(PIECE, (offset, piece) -> writeAt(channel, start + offset, piece));
                    data.forEachPiece(PIECE, (offset, piece) -> requireAt(channel, start + offset, piece, to));
                }
            }
        }
    }

    private static TensorProto.DataType type(DataType type) {
        return switch (type) {
            case HALF -> TensorProto.DataType.FLOAT16;
            case BFLOAT16 -> TensorProto.DataType.BFLOAT16;
            case DOUBLE -> TensorProto.DataType.DOUBLE;
            default -> TensorProto.DataType.FLOAT;
        };
    }

    private static void writeAt(FileChannel channel, long place, ByteBuffer piece) throws IOException {
        long at = place;
        while (piece.hasRemaining()) {
            at += channel.write(piece, at);
        }
    }

    private static void requireAt(FileChannel channel, long place, ByteBuffer piece, Path file) throws IOException {
        ByteBuffer found = ByteBuffer.allocate(piece.remaining());
        while (found.hasRemaining()) {
            if (channel.read(found, place + found.position()) < 0) {
                break;
            }
        }
        if (!found.flip().equals(piece)) {
            throw new IOException(file + " holds other numbers than were written; check the disk");
        }
    }

    private static void verify(HubFolder source, HubFolder written) throws IOException {
        for (Map.Entry<String, StoredTensor> entry : source.tensors().entrySet()) {
            StoredTensor expected = entry.getValue();
            StoredTensor found = written.tensors().get(entry.getKey());
            if (found == null
                    || !found.file().equals(expected.file())
                    || found.tensor().type() != expected.tensor().type()
                    || found.tensor().offset() != expected.tensor().offset()
                    || !Arrays.equals(found.tensor().shape(), expected.tensor().shape())) {
                throw new IOException(source.path() + " was changed while it was copied: the tensor `" + entry.getKey()
                        + "` is another");
            }
        }
    }
}
