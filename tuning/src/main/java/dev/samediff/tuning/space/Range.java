package dev.samediff.tuning.space;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.util.HashSet;
import java.util.List;

/** The values a parameter may take. Values are {@link String}, {@link Long} or {@link Double}. */
public sealed interface Range {
    /** Returns whether there is only one value. */
    default boolean isFixed() {
        return false;
    }

    /** Returns whether the value is one of this range. */
    boolean contains(Object value);

    /**
     * One of a list; a list of one is a fixed value.
     *
     * @param values strings of one line or finite numbers, no two the same; whole numbers become {@link Long}s
     */
    record Choice(List<Object> values) implements Range {
        public Choice {
            values = values.stream().map(Choice::plain).toList();
            if (values.isEmpty() || new HashSet<>(values).size() < values.size()) {
                throw new InvalidInputException("a choice of " + JsonFiles.excerpt(values.toString())
                        + " is not possible; give at least one value, and none twice");
            }
        }

        /** Values as a file has them, so that a journal gives back what was tried. */
        private static Object plain(Object value) {
            if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
                return ((Number) value).longValue();
            }
            Object plain = value instanceof Float number ? (Object) number.doubleValue() : value;
            if (plain instanceof Long
                    || plain instanceof Double number && Double.isFinite(number)
                    || plain instanceof String text && text.codePoints().noneMatch(Character::isISOControl)) {
                return plain;
            }
            throw new InvalidInputException("a choice cannot have the value " + JsonFiles.excerpt(String.valueOf(value))
                    + "; expected a finite number or a text of one line");
        }

        @Override
        public boolean isFixed() {
            return values.size() == 1;
        }

        @Override
        public boolean contains(Object value) {
            return values.contains(value);
        }
    }

    /**
     * A whole number, all equally likely.
     *
     * @param low least value
     * @param high greatest value
     */
    record Integers(int low, int high) implements Range {
        public Integers {
            require(
                    low < high && (long) high - low < Integer.MAX_VALUE,
                    "integer",
                    low,
                    high,
                    "the first one smaller, by less than " + Integer.MAX_VALUE);
        }

        @Override
        public boolean contains(Object value) {
            return value instanceof Long number && number >= low && number <= high;
        }
    }

    /**
     * A number, evenly distributed.
     *
     * @param low least value
     * @param high greatest value
     */
    record Uniform(double low, double high) implements Range {
        public Uniform {
            require(low < high && Double.isFinite(high - low), "uniform", low, high, "finite, the first one smaller");
        }

        @Override
        public boolean contains(Object value) {
            return value instanceof Double number && number >= low && number <= high;
        }
    }

    /**
     * A positive number whose logarithm is evenly distributed: learning rates, weights of regularisers.
     *
     * @param low least value, above 0
     * @param high greatest value
     */
    record LogUniform(double low, double high) implements Range {
        public LogUniform {
            require(
                    low > 0 && low < high && Double.isFinite(high),
                    "log_uniform",
                    low,
                    high,
                    "above 0, the first one smaller");
        }

        @Override
        public boolean contains(Object value) {
            return value instanceof Double number && number >= low && number <= high;
        }
    }

    private static void require(boolean good, String kind, Number low, Number high, String expected) {
        if (!good) {
            throw new InvalidInputException("the range " + kind + " [" + low + ", " + high
                    + "] is not possible; expected two numbers, " + expected);
        }
    }
}
