package dev.samediff.adapters.linalg;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * How the leading singular triplets are computed where a method does not say it: exactly, or by randomised subspace iteration.
 *
 * <p>Exact is {@code O(m n min(m,n))}: 2 seconds for 2048 x 2048 on one core, 22 for 4096 x 4096; randomised is {@code O(m n r)}
 * with a rest that is some tenths of a per cent above the best possible one. Whichever it is, a method's residual is computed from
 * what was found, so the adapted model starts as the base model exactly.
 *
 * @param mode exact, fast or chosen by size
 * @param iterations power iterations of the randomised one; empty means {@value #FEW} up to rank {@value #SMALL_RANK} and {@value
 *     #MANY} above
 */
public record SvdChoice(Mode mode, OptionalInt iterations) {
    /** The shorter side up to which {@link Mode#AUTO} is exact. */
    public static final int EXACT_UP_TO = 1024;

    static final int SMALL_RANK = 32;
    static final int FEW = 8;
    static final int MANY = 16;

    /** Ways to decompose. */
    public enum Mode {
        /** Exact up to a shorter side of {@value SvdChoice#EXACT_UP_TO}, randomised above it. */
        AUTO,
        /** Always exact. */
        EXACT,
        /** Always randomised, but for ranks near the whole. */
        FAST;

        /**
         * Returns the mode of this name, in any case.
         *
         * @throws InvalidInputException if there is none
         */
        public static Mode named(String name) {
            return Arrays.stream(values())
                    .filter(mode -> mode.label().equals(name.toLowerCase(Locale.ROOT)))
                    .findFirst()
                    .orElseThrow(() -> new InvalidInputException("`" + name
                            + "` is no way to compute singular values; there are "
                            + Arrays.stream(values()).map(Mode::label).collect(Collectors.joining(", "))));
        }

        /** Returns the name in lower case. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public SvdChoice {
        if (iterations.isPresent() && iterations.getAsInt() < 0) {
            throw new InvalidInputException("a randomised decomposition cannot have " + iterations.getAsInt()
                    + " power iterations; 4 to 16 are usual");
        }
        if (mode == Mode.EXACT && iterations.isPresent()) {
            throw new InvalidInputException(
                    "an exact decomposition has no power iterations; leave them out, or choose fast or auto");
        }
    }

    /** Returns the choice by size. */
    public static SvdChoice auto() {
        return new SvdChoice(Mode.AUTO, OptionalInt.empty());
    }

    /** Returns exact decompositions whatever the size. */
    public static SvdChoice exact() {
        return new SvdChoice(Mode.EXACT, OptionalInt.empty());
    }

    /** Returns randomised decompositions whatever the size. */
    public static SvdChoice fast() {
        return new SvdChoice(Mode.FAST, OptionalInt.empty());
    }

    /** Returns this with a number of power iterations. */
    public SvdChoice withIterations(int powerIterations) {
        return new SvdChoice(mode, OptionalInt.of(powerIterations));
    }

    /** Returns decompositions that choose and count what they chose. */
    public ChosenDecompositions over(Decompositions computing) {
        return new ChosenDecompositions(this, computing);
    }

    boolean isExact(long rows, long columns) {
        return mode == Mode.EXACT || mode == Mode.AUTO && Math.min(rows, columns) <= EXACT_UP_TO;
    }

    int iterations(int rank) {
        return iterations.orElse(rank <= SMALL_RANK ? FEW : MANY);
    }
}
