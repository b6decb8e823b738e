package dev.samediff.importer;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * How a file is imported.
 *
 * @param floats type of all floating-point numbers in the graph; null: FLOAT, but DOUBLE for those that are DOUBLE in the
 *     file
 */
public record ImportOptions(@Nullable DataType floats) {
    /** Checks the type. */
    public ImportOptions {
        if (floats != null && floats != DataType.FLOAT && floats != DataType.DOUBLE) {
            throw new IllegalArgumentException("graphs compute in FLOAT or DOUBLE, not in " + floats);
        }
    }

    /** Every floating-point number in the type nearest to the file's. */
    public static ImportOptions defaults() {
        return new ImportOptions(null);
    }

    /** Every floating-point number as DOUBLE: twice the memory, for telling rounding from mistakes. */
    public static ImportOptions inDoublePrecision() {
        return new ImportOptions(DataType.DOUBLE);
    }

    /** Returns the type that half-precision numbers get. */
    DataType widest() {
        return floats == null ? DataType.FLOAT : floats;
    }
}
