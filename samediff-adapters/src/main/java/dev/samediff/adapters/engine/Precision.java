package dev.samediff.adapters.engine;

import dev.samediff.adapters.engine.kernel.OneDnn;

/** In what the products with frozen weights are computed. Everything else is float32 always. */
public enum Precision {
    /** float32. */
    FLOAT32,
    /** Weights and their inputs rounded to bfloat16, sums in float32; works everywhere, pays where the processor has it. */
    BFLOAT16,
    /**
     * The forward products with frozen weights in float16, sums as cuBLAS makes them: on CUDA devices only, by the reference
     * engine.
     */
    HALF,
    /** bfloat16 on processors with AMX or AVX512-BF16, float32 elsewhere. */
    AUTO;

    /** Returns what this means on this machine. */
    public boolean isReduced() {
        return this == BFLOAT16 || (this == AUTO && OneDnn.supportsBf16());
    }
}
