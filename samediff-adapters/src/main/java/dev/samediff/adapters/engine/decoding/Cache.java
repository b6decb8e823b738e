package dev.samediff.adapters.engine.decoding;

/**
 * Keys or values that are kept: all positions of one tensor.
 *
 * @param name the leaf it is read from and written to, and the output of the prefill that fills it
 * @param outer elements before the position, the batch included
 * @param inner elements of one position behind it
 */
public record Cache(String name, long outer, long inner) {
    /** Returns the shape with so many positions. */
    public long[] shape(long positions) {
        return new long[] {outer, positions, inner};
    }
}
