package dev.samediff.adapters.engine;

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

    /**
     * Returns whether weights are rounded.
     *
     * @param isNative whether the hardware multiplies bfloat16 natively
     */
    public boolean isReduced(boolean isNative) {
        return this == BFLOAT16 || (this == AUTO && isNative);
    }
}
