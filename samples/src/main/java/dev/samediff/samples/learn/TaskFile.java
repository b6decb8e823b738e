package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a run leaves in {@code task.json}, so that predictions need the folder alone.
 *
 * @param task name of the task
 * @param model the model file that was trained
 * @param tokenizer its tokenizer
 * @param maxLength most tokens of a text
 * @param settings what makes the task this one
 */
public record TaskFile(String task, String model, String tokenizer, int maxLength, TaskSettings settings) {
    /** The file's name in the folder of a run. */
    public static final String NAME = "task.json";

    private static final long MOST_BYTES = 64L << 20;

    /** Describes a trained model. */
    public static TaskFile of(TextTask<?> task, Path model, Path tokenizer, int maxLength, TaskSettings settings) {
        return new TaskFile(
                task.name(),
                model.toAbsolutePath().normalize().toString(),
                tokenizer.toAbsolutePath().normalize().toString(),
                maxLength,
                settings);
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
    public static TaskFile read(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        if (!Files.isRegularFile(file)) {
            throw new InvalidInputException(folder + " has no " + NAME + ": expected the folder of a run of `finetune"
                    + " --task` " + TextTasks.names() + " without " + TextTasks.LANGUAGE_MODEL
                    + ", whose runs `generate --adapter DIR/adapter` writes with");
        }
        if (Files.size(file) > MOST_BYTES) {
            throw new InvalidInputException(file + " is too long to be the description of a task");
        }
        @Nullable TaskFile read; // the text `null` is JSON, too
        try {
            read = Json.parse(Files.readString(file), TaskFile.class);
        } catch (IllegalArgumentException | IOException e) {
            throw new InvalidInputException(file + " cannot be read: it was changed after the run; train again", e);
        }
        if (read == null || !read.isWhole()) {
            throw new InvalidInputException(
                    file + " does not describe a task: it was changed after the run; train again");
        }
        return read;
    }

    /** A file that was edited by hand may lack anything. */
    @SuppressWarnings("ConstantConditions") // the parser leaves null where something is missing
    private boolean isWhole() {
        return task != null
                && model != null
                && tokenizer != null
                && maxLength >= 1
                && settings != null
                && settings.labels() != null
                && settings.labels().stream().noneMatch(label -> label == null)
                && settings.form() != null;
    }
}
