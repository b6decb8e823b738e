package dev.samediff.samples.model;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;

/**
 * The model that comes with the samples: a character-level GPT-2 (128 wide, 4 layers) trained on arithmetic stories.
 *
 * @param onnx the model
 * @param vocabulary its characters
 */
public record BundledModel(Path onnx, Path vocabulary) {
    private static final String ONNX = "stories-gpt.onnx";
    private static final String VOCABULARY = "stories-vocab.json";

    /** Copies the model from the class path to a temporary folder that goes away with the process, or with the next one. */
    public static BundledModel extract() {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        try {
            Path folder = ScratchFolder.make(temporary, "samediff-model");
            return new BundledModel(copy(ONNX, folder), copy(VOCABULARY, folder));
        } catch (IOException e) {
            String sentence = "the bundled model cannot be copied to the temporary folder " + temporary + " ("
                    + e.getMessage() + "); name one that exists and has 4 MB left: TMPDIR=DIR samples/run ...";
            throw Files.isDirectory(temporary)
                    ? new UncheckedIOException(new IOException(sentence, e))
                    : new InvalidInputException(sentence, e);
        }
    }

    private static Path copy(String name, Path folder) throws IOException {
        Path target = folder.resolve(name);
        try (InputStream resource =
                Objects.requireNonNull(BundledModel.class.getResourceAsStream(name), () -> name + " is missing")) {
            Files.copy(resource, target, StandardCopyOption.REPLACE_EXISTING);
        }
        target.toFile().deleteOnExit();
        return target;
    }
}
