package dev.samediff.adapters.method;

import dev.samediff.adapters.InvalidInputException;

/**
 * When ranks of SORSA are given up because of their singular values: at every {@code interval}-th update, those of a layer whose value is
 * smaller in size than {@code share} of the layer's largest.
 *
 * @param share above 0 and below 1
 * @param interval updates from one cut to the next
 */
public record SingularValueCut(double share, int interval) {
    public SingularValueCut {
        if (!(share > 0 && share < 1) || interval < 1) {
            throw new InvalidInputException("sorsa cannot cut values below " + share + " of the largest at every "
                    + interval + "th update; give a share between 0 and 1, and 1 update or more");
        }
    }
}
