package dev.samediff.adapters.engine.kernel;

/** A start of memory that may move between two runs. */
@FunctionalInterface
interface Place {
    /** Returns the address in bytes, 0 if there is none yet. */
    long address();

    /** Returns the place this many bytes behind this one. */
    default Place plus(long bytes) {
        return bytes == 0 ? this : () -> address() == 0 ? 0 : address() + bytes;
    }
}
