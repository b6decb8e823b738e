package dev.samediff.adapters.backend;

import dev.samediff.adapters.InvalidInputException;

/**
 * What computes. ND4J decides once per process, when its first class is initialised, so {@link #select()} comes before
 * everything else:
 *
 * <pre>{@code
 * BackendChoice choice = Backend.AUTO.select();
 * System.err.println(choice.sentence());
 * }</pre>
 */
public enum Backend {
    /** CUDA where {@link CudaGate} finds it usable, else the CPU. */
    AUTO,
    /** The CPU, also where CUDA is usable. */
    CPU,
    /** CUDA or nothing. */
    CUDA;

    /**
     * Makes ND4J compute on this backend. Where the CUDA backend is on the class path ND4J is initialised by this call;
     * without it there is only the CPU's, and nothing is done.
     *
     * @return what computes, and why
     * @throws InvalidInputException if CUDA was asked for and is not usable; the message says why
     * @throws IllegalStateException if ND4J runs on another backend in this process already
     */
    public BackendChoice select() {
        return BackendSelection.select(this);
    }
}
