package dev.samediff.samples.classify;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a run leaves in {@code task.json}, so that predictions need the folder alone.
 *
 * @param task {@code classify}
 * @param model the model file that was trained
 * @param tokenizer its tokenizer
 * @param maxLength most tokens of a text
 * @param labels names of the classes, in the order of the scores
 * @param scores the model's own output with scores; null if a head was added
 * @param pooling pooling of the added head
 * @param features the output that the head was put on; null for the first that fits
 * @param seed seed of the added head
 */
public record ClassifierFile(
        String task,
        String model,
        String tokenizer,
        int maxLength,
        List<String> labels,
        @Nullable String scores,
        Pooling pooling,
        @Nullable String features,
        long seed) {
    /** The file's name in the folder of a run. */
    public static final String NAME = "task.json";

    /** The word for classification. */
    public static final String CLASSIFY = "classify";

    /** Describes a classifier. */
    public static ClassifierFile of(
            Path model, Path tokenizer, int maxLength, List<String> labels, ClassifierHead head) {
        return new ClassifierFile(
                CLASSIFY,
                model.toAbsolutePath().normalize().toString(),
                tokenizer.toAbsolutePath().normalize().toString(),
                maxLength,
                labels,
                head.scores().orElse(null),
                head.pooling(),
                head.features().orElse(null),
                head.seed());
    }

    /** Writes it into a run's folder. */
    public void write(Path folder) throws IOException {
        DurableFiles.writeText(folder.resolve(NAME), Json.pretty(this));
    }

    /**
     * Reads it from a run's folder.
     *
     * @throws InvalidInputException if it is not there, or is no such file
     */
    public static ClassifierFile read(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        if (!Files.isRegularFile(file)) {
            throw new InvalidInputException(
                    folder + " has no " + NAME + ": expected the folder of a run of `finetune --task classify`");
        }
        if (Files.size(file) > MOST_BYTES) {
            throw new InvalidInputException(file + " is too long to be the description of a classifier");
        }
        @Nullable ClassifierFile read; // the text `null` is JSON, too
        try {
            read = Json.parse(Files.readString(file), ClassifierFile.class);
        } catch (IllegalArgumentException | IOException e) {
            throw new InvalidInputException(file + " cannot be read: it was changed after the run; train again", e);
        }
        if (read == null) {
            throw new InvalidInputException(file + " is empty: it was changed after the run; train again");
        }
        read.check(file);
        return read;
    }

    private static final long MOST_BYTES = 64L << 20;

    /** A file that was edited by hand may lack anything. */
    @SuppressWarnings("ConstantConditions") // the parser leaves null where something is missing
    private void check(Path file) {
        if (!CLASSIFY.equals(task)
                || model == null
                || tokenizer == null
                || labels == null
                || labels.isEmpty()
                || labels.stream().anyMatch(label -> label == null)
                || pooling == null
                || maxLength < 1) {
            throw new InvalidInputException(
                    file + " does not describe a classifier: it was changed after the run; train again");
        }
    }

    /** Returns the head, to be added again. */
    public ClassifierHead head() {
        return new ClassifierHead(Optional.ofNullable(scores), pooling, Optional.ofNullable(features), List.of(), seed);
    }
}
