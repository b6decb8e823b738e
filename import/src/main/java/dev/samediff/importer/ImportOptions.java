package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * How a file is imported.
 *
 * @param floats type of all floating-point numbers in the graph; null: FLOAT, but DOUBLE for those that are DOUBLE in the
 *     file
 * @param vocabulary how many tokens the model shall have; empty: as many as in the file
 */
public record ImportOptions(@Nullable DataType floats, OptionalInt vocabulary) {
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
        return new ImportOptions(null, OptionalInt.empty());
    }

    /** Every floating-point number as DOUBLE: twice the memory, for telling rounding from mistakes. */
    public static ImportOptions inDoublePrecision() {
        return new ImportOptions(DataType.DOUBLE, OptionalInt.empty());
    }

    /**
     * The same with another number of tokens, as Hugging Face's {@code resize_token_embeddings} makes it: tables, heads and their
     * biases get new entries at the end, each the mean of those that are there, or lose the last ones. What is written from the import
     * ({@link OnnxWriter}) has that size too.
     */
    public ImportOptions withVocabulary(int tokens) {
        return new ImportOptions(floats, OptionalInt.of(tokens));
    }

    /** Returns the type that half-precision numbers get. */
    DataType widest() {
        return floats == null ? DataType.FLOAT : floats;
    }
}
