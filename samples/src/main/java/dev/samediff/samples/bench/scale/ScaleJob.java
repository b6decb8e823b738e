package dev.samediff.samples.bench.scale;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import java.nio.file.Path;

/**
 * What one process does; it gets this as a line of JSON: import a folder, start adapters on all linear layers of the blocks, train a few
 * steps of one random text with AdamW.
 *
 * @param folder the Hugging Face folder
 * @param method the adapters
 * @param rank their rank
 * @param length tokens of the text
 * @param bfloat16 whether products with frozen weights are computed in bfloat16
 * @param recompute whether blocks are computed once more in the backward pass
 * @param steps measured steps, after the first
 * @param weights folder of the files that frozen weights lie in
 */
public record ScaleJob(
        String folder,
        String method,
        int rank,
        int length,
        boolean bfloat16,
        boolean recompute,
        int steps,
        String weights) {
    /** Returns how steps are executed. */
    EngineOptions engine() {
        return EngineOptions.defaults()
                .withPrecision(bfloat16 ? Precision.BFLOAT16 : Precision.FLOAT32)
                .withRecomputation(recompute)
                .withWeightsInFile(Path.of(weights));
    }
}
