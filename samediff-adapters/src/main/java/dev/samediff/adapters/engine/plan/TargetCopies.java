package dev.samediff.adapters.engine.plan;

import java.util.function.Predicate;

/** Copies of matrices that never change, which several targets read, each in a thread of its own. Thread-safe. */
public interface TargetCopies extends AutoCloseable {
    /**
     * Opens a target that reads the copies; other matrices are its own.
     *
     * @param threads threads of its kernels; 0 for as many as there are
     * @param keepsPacked whether copies are made at all
     * @param isShared tells by leaf which matrices are the same for all of the targets
     */
    Target open(int threads, boolean keepsPacked, Predicate<String> isShared);

    /** Returns the memory of the copies in bytes. */
    long bytes();

    /** Gives it back; the targets have been closed before. */
    @Override
    void close();
}
