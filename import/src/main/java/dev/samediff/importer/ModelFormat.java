package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.huggingface.HubFolder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What a model is stored as. */
public enum ModelFormat {
    /** One message, perhaps with files of numbers beside it. */
    ONNX,

    /** A folder with {@code config.json} and safetensors. */
    HUGGING_FACE,

    /** A frozen GraphDef ({@code .pb}, {@code .pbtxt}) or the folder of a SavedModel. */
    TENSORFLOW;

    /** The first byte of a GraphDef: field 1 holds a node. An ONNX model begins with a number, the version of its format. */
    private static final int NODE_FIELD = 1 << 3 | 2;

    /**
     * Tells by a file's name, and by its first byte where the name does not tell: both kinds may end in {@code .pb}.
     *
     * @throws InvalidInputException if there is no such file or folder, or it cannot be read
     */
    public static ModelFormat of(Path path) {
        if (!Files.isDirectory(path) && !Files.isRegularFile(path)) { // a pipe would be waited for
            throw new InvalidInputException(path + (Files.exists(path) ? " is not a file" : " does not exist")
                    + "; give a Hugging Face folder (config.json and safetensors), an ONNX model (.onnx), a frozen"
                    + " TensorFlow graph (.pb, .pbtxt) or the folder of a SavedModel");
        }
        if (HubFolder.isOne(path)) {
            return HUGGING_FACE;
        }
        String name = String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT);
        if (Files.isDirectory(path) || name.endsWith(".pbtxt") || name.equals("saved_model.pb")) {
            return TENSORFLOW;
        }
        return name.endsWith(".onnx") || firstByte(path) != NODE_FIELD ? ONNX : TENSORFLOW;
    }

    private static int firstByte(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return in.read();
        } catch (IOException e) {
            throw new InvalidInputException(file + " cannot be read: " + e, e);
        }
    }
}
