/**
 * Which ND4J backend computes: what speaks for and against CUDA on this machine, the choice between backends, and
 * whether a training fits into a device's memory.
 *
 * <p>Nothing here compiles against a backend. The gate asks the CUDA bindings by reflection and initialises no class of
 * ND4J, because ND4J chooses its backend once, when its first class is initialised, and does not notice a device on which
 * it cannot run.
 */
@NullMarked
package dev.samediff.adapters.backend;

import org.jspecify.annotations.NullMarked;
