package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.program.Op;
import java.util.List;
import java.util.Set;

/**
 * Hardware that plans run on, as one engine uses it. {@code plan} lays programs out and knows nothing of hardware; everything
 * that does is behind this and {@link ExecutionContext}. docs/engine.md, "Targets", says how to add one.
 *
 * <p>What is answered here may not change while plans are open. Not thread-safe.
 */
public interface Target extends AutoCloseable {
    /** Returns in one sentence why no plan can run here; empty if plans can. */
    String reason();

    /** Returns whether plans can run here; if not, {@link #reason} says why and nothing else may be called but close. */
    default boolean isAvailable() {
        return reason().isEmpty();
    }

    /** Returns whether the hardware multiplies BFLOAT16 natively, so that rounded weights save time and not only memory. */
    default boolean multipliesBfloat16() {
        return false;
    }

    /**
     * Prepares for one plan.
     *
     * @param frozen leaves whose numbers hardly ever change: the target may keep copies of them, in its memory or in a layout
     *     of its own, which {@link #expire} makes out of date
     */
    ExecutionContext open(Set<String> frozen);

    /**
     * Returns whether the kernels of an op read an input as it lies; if not, they get a copy in row-major order.
     *
     * @param input number of the input
     * @param x the input; never an accumulated one, which is the output
     */
    default boolean reads(Op op, int input, Operand x) {
        return x.isDense();
    }

    /** Returns whether the results of an op may be given any strides without loss of speed. */
    default boolean writesAnywhere(Op op) {
        return false;
    }

    /** Returns the inputs that the first result of an op may overwrite, the best first. */
    default List<Integer> inPlace(Op op) {
        return List.of();
    }

    /** Returns whether there are copies of a frozen leaf, which have to be told of changes. */
    default boolean hasCopy(String leaf) {
        return false;
    }

    /** Says that the numbers of a frozen leaf have changed: copies are made anew before they are read again. */
    default void expire(String leaf) {}

    /** Returns the memory of all copies of frozen leaves in bytes. */
    default long copyBytes() {
        return 0;
    }

    /** Gives copies of frozen leaves back; all plans have been closed before. */
    @Override
    void close();
}
