package dev.samediff.adapters.testing;

import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What {@link Bits} says about one value.
 *
 * @param <T> what holds the arrays
 */
public final class BitsAssert<T> {
    private final T actual;
    private final Function<T, Map<String, INDArray>> arrays;
    private @Nullable String description;

    BitsAssert(T actual, Function<T, Map<String, INDArray>> arrays) {
        if (actual == null) {
            throw new AssertionError("expected arrays, but was null");
        }
        this.actual = actual;
        this.arrays = arrays;
    }

    /** Puts a description before the message of a failure. */
    public BitsAssert<T> as(String text) {
        description = text;
        return this;
    }

    /** Fails unless both hold arrays of the same names, types and shapes with the same bits (NaNs and zeros too). */
    public BitsAssert<T> isEqualTo(T expected) {
        difference(expected).ifPresent(this::fail);
        return this;
    }

    /** Fails if {@link #isEqualTo} would not. */
    public BitsAssert<T> isNotEqualTo(T other) {
        if (difference(other).isEmpty()) {
            fail("expected other bits, but they are the same: " + arrays.apply(actual));
        }
        return this;
    }

    private Optional<String> difference(T expected) {
        Map<String, INDArray> ours = arrays.apply(actual);
        Map<String, INDArray> theirs = arrays.apply(expected);
        if (!ours.keySet().equals(theirs.keySet())) {
            return Optional.of("expected the arrays " + new TreeSet<>(theirs.keySet()) + ", but there are "
                    + new TreeSet<>(ours.keySet()));
        }
        StringBuilder text = new StringBuilder();
        ours.forEach((name, array) -> new RawBits(array)
                .difference(new RawBits(theirs.get(name)))
                .ifPresent(difference -> text.append(text.isEmpty() ? "" : "\n")
                        .append(name)
                        .append(": ")
                        .append(difference)));
        return text.isEmpty() ? Optional.empty() : Optional.of(text.toString());
    }

    private void fail(String message) {
        throw new AssertionError(description == null ? message : "[" + description + "] " + message);
    }
}
