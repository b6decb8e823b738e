package dev.samediff.samples.bench.scale;

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
        String weights) {}
