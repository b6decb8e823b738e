package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.memory.FileBackedArrays;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where a graph's weights lie: in memory, or in files without names that are gone with the process
 * ({@link dev.samediff.adapters.memory.FileBackedArrays}), so that they need memory only while they are read. Files take 4 bytes a weight,
 * whatever type the model's file has.
 *
 * @param directory of the files; null: weights lie in memory
 * @param from bytes of all weights from which on they lie there; smaller models lie in memory
 * @param blank whether they are not read at all and have no numbers ({@link dev.samediff.adapters.memory.BlankArrays}): such a graph tells
 *     what a training needs
 */
public record WeightPlace(@Nullable Path directory, long from, boolean blank) {
    /** In memory. */
    public static final WeightPlace MEMORY = new WeightPlace(null, Long.MAX_VALUE, false);

    /** Nowhere: weights have no numbers. */
    public static final WeightPlace NOWHERE = new WeightPlace(null, Long.MAX_VALUE, true);

    /**
     * Returns the folder for such files if nobody chose one: that of Java's temporary files, but for one that is itself in memory
     * (tmpfs), in whose place {@code /var/tmp} is taken.
     */
    public static Path usualDirectory() {
        return FileBackedArrays.usualDirectory();
    }

    /** In files in a folder, if all weights together have so many bytes. */
    public static WeightPlace in(Path directory, long from) {
        return new WeightPlace(directory, from, false);
    }

    /**
     * Checks the folder, before anything is read.
     *
     * @throws InvalidInputException if it is none
     */
    public WeightPlace {
        if (directory != null && !Files.isDirectory(directory)) {
            throw new InvalidInputException("`" + directory
                    + "` is no directory; weights can lie in a folder on a disk with 4 bytes of room for each of them");
        }
    }

    /**
     * Returns the folder for the weights of a model.
     *
     * @param bytes of all its weights, as the graph holds them
     * @return null if they lie in memory
     */
    public @Nullable Path directory(long bytes) {
        return bytes >= from ? directory : null;
    }
}
