package dev.samediff.adapters.engine.kernel;

/**
 * One computation between operands at known places, ready to run any number of times.
 *
 * <p>A kernel reads the places of its operands in every run, so {@link Operand#place} moves them at no cost. Kernels of
 * one {@link Workspace} share its memory; running two of them at the same time is safe and makes one wait.
 */
public interface Kernel {
    /**
     * Computes.
     *
     * @throws IllegalStateException if an operand has no place yet
     */
    void run();

    /** Returns what is computed and by what, such as {@code "matmul f32 1024x768x2304 brg_matmul:avx512_core"}. */
    String describe();
}
