package dev.samediff.adapters.engine;

import dev.samediff.adapters.InvalidInputException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How steps are executed.
 *
 * @param kind which engine
 * @param precision in what products with frozen weights are computed; float32 is what the reference engine computes in
 * @param recompute whether the backward pass computes blocks once more instead of keeping what it needs of them: at least
 *     halves the memory of activations and costs up to a third more time
 * @param packed whether products keep copies of frozen float32 weights in the layout that is read fastest: 5 to 10 % less time,
 *     and one more copy of the weights in memory
 * @param weightsDirectory where a trainer lets a file stand behind frozen weights that steps do not read (the true weights under
 *     residuals, and float32 weights of which there are bfloat16 copies); null keeps them in memory
 * @param threads threads of the compiled engine; 0 leaves the number as it is
 */
public record EngineOptions(
        Kind kind,
        Precision precision,
        boolean recompute,
        boolean packed,
        @Nullable Path weightsDirectory,
        int threads) {
    /** Which engine executes steps. */
    public enum Kind {
        /** Static plans of fused kernels; whatever cannot be compiled goes to the reference engine. */
        COMPILED,
        /** SameDiff's own operations one by one, on every backend. */
        REFERENCE
    }

    public EngineOptions {
        if (threads < 0) {
            throw new InvalidInputException("the number of threads is " + threads + "; give 1 or more, or 0 for all");
        }
        if (precision == Precision.HALF && recompute) {
            throw new InvalidInputException(
                    "half precision is of the reference engine, which keeps all activations; leave"
                            + " recomputation out");
        }
        if (kind == Kind.REFERENCE && (precision == Precision.BFLOAT16 || recompute)) {
            throw new InvalidInputException("the reference engine computes in the graph's own precision and keeps all"
                    + " activations; choose the compiled engine for bfloat16 and recomputation");
        }
    }

    /** Returns the compiled engine in float32. */
    public static EngineOptions defaults() {
        return new EngineOptions(Kind.COMPILED, Precision.FLOAT32, false, true, null, 0);
    }

    /** Returns the reference engine. */
    public static EngineOptions reference() {
        return new EngineOptions(Kind.REFERENCE, Precision.FLOAT32, false, true, null, 0);
    }

    /** Returns this in another precision. */
    public EngineOptions withPrecision(Precision newPrecision) {
        return new EngineOptions(kind, newPrecision, recompute, packed, weightsDirectory, threads);
    }

    /** Returns this with or without recomputation. */
    public EngineOptions withRecomputation(boolean newRecompute) {
        return new EngineOptions(kind, precision, newRecompute, packed, weightsDirectory, threads);
    }

    /** Returns this with or without packed copies of frozen weights. */
    public EngineOptions withPackedWeights(boolean newPacked) {
        return new EngineOptions(kind, precision, recompute, newPacked, weightsDirectory, threads);
    }

    /**
     * Returns this with frozen weights that steps do not read in a file, which saves their memory.
     *
     * @param directory a directory on a disk; the file has no name and is gone with the process
     */
    public EngineOptions withWeightsInFile(Path directory) {
        return new EngineOptions(kind, precision, recompute, packed, directory, threads);
    }

    /** Returns this with a number of threads. */
    public EngineOptions withThreads(int newThreads) {
        return new EngineOptions(kind, precision, recompute, packed, weightsDirectory, newThreads);
    }
}
