package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.onnx.WeightPlace;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * How a file is imported.
 *
 * @param floats type of all floating-point numbers in the graph; null: FLOAT, but DOUBLE for those that are DOUBLE in the
 *     file
 * @param vocabulary how many tokens the model shall have; empty: as many as in the file
 * @param weights where the graph's weights lie
 */
public record ImportOptions(@Nullable DataType floats, OptionalInt vocabulary, WeightPlace weights) {
    /** Checks the type and the number. */
    public ImportOptions {
        if (floats != null && floats != DataType.FLOAT && floats != DataType.DOUBLE) {
            throw new IllegalArgumentException("graphs compute in FLOAT or DOUBLE, not in " + floats);
        }
        if (vocabulary.isPresent() && vocabulary.getAsInt() < 1) {
            throw new InvalidInputException(
                    "a vocabulary of " + vocabulary.getAsInt() + " tokens is not possible; give 1 or more");
        }
    }

    /** Every floating-point number in the type nearest to the file's. */
    public static ImportOptions defaults() {
        return new ImportOptions(null, OptionalInt.empty(), WeightPlace.MEMORY);
    }

    /** Every floating-point number as DOUBLE: twice the memory, for telling rounding from mistakes. */
    public static ImportOptions inDoublePrecision() {
        return new ImportOptions(DataType.DOUBLE, OptionalInt.empty(), WeightPlace.MEMORY);
    }

    /**
     * The same with another number of tokens, as Hugging Face's {@code resize_token_embeddings} makes it: tables, heads and their
     * biases get new entries at the end, each the mean of those that are there, or lose the last ones. What is written from the import
     * ({@link OnnxWriter}) has that size too.
     */
    public ImportOptions withVocabulary(int tokens) {
        return new ImportOptions(floats, OptionalInt.of(tokens), weights);
    }

    /**
     * The same with large weights in files without names instead of in memory: each is resident only while it is read from the model's
     * file, and whenever somebody reads it later. For models of a thousand million weights and more, whose engine has rounded or packed
     * copies of its own anyway. Linux and ND4J's CPU backend; elsewhere, and where there is no room, weights lie in memory, and a warning
     * says so.
     *
     * @param directory a folder on a disk (not in memory, such as tmpfs) with 4 bytes of room for each weight, and as many once more
     *     for adapters that put residuals in their place
     * @throws InvalidInputException if there is no such folder
     */
    public ImportOptions withWeightsInFile(Path directory) {
        return withWeights(WeightPlace.in(directory, 0));
    }

    /**
     * The same with weights that are not read: the graph has their shapes, and zeros for numbers, which take no memory. It tells what a
     * training of the model would need; what it computes means nothing.
     */
    public ImportOptions withoutNumbers() {
        return withWeights(WeightPlace.NOWHERE);
    }

    /** The same with weights elsewhere. */
    public ImportOptions withWeights(WeightPlace place) {
        return new ImportOptions(floats, vocabulary, place);
    }

    /** Returns the type that half-precision numbers get. */
    DataType widest() {
        return floats == null ? DataType.FLOAT : floats;
    }
}
