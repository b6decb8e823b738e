package dev.samediff.adapters;

/** Is told how far the start of an adapter is: factorising large weights takes seconds to minutes. */
@FunctionalInterface
public interface StartListener {
    /** Nobody. */
    StartListener SILENT = progress -> {};

    /**
     * One more weight is factorised. Calls follow one another, from any thread; an exception ends the start.
     *
     * @param progress how far it is
     */
    void factorized(StartProgress progress);
}
