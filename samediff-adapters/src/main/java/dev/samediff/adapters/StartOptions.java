package dev.samediff.adapters;

import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import dev.samediff.adapters.linalg.SvdChoice;

/**
 * How new adapters are started on a model.
 *
 * @param linalg decomposes the weights
 * @param listener is told how far it is
 */
public record StartOptions(Decompositions linalg, StartListener listener) {
    /** Returns the usual way: exact decompositions up to a size, randomised ones above it ({@link SvdChoice#auto()}), in silence. */
    public static StartOptions standard() {
        return new StartOptions(SvdChoice.auto().over(new LapackDecompositions()), StartListener.SILENT);
    }

    /** Returns this with other decompositions, such as {@link dev.samediff.adapters.linalg.CachingDecompositions}. */
    public StartOptions withDecompositions(Decompositions other) {
        return new StartOptions(other, listener);
    }

    /** Returns this with a listener. */
    public StartOptions withListener(StartListener other) {
        return new StartOptions(linalg, other);
    }
}
