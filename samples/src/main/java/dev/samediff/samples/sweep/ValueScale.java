package dev.samediff.samples.sweep;

import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.report.ParallelCoordinates;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Where a parameter's values lie on an axis, and which cell of a map they fall into. */
abstract class ValueScale {
    private static final int BINS = 5;

    private final String name;

    private ValueScale(String name) {
        this.name = name;
    }

    static ValueScale of(Parameter parameter) {
        return switch (kind(parameter.range())) {
            case 0 -> new Choices(parameter.name(), (Range.Choice) parameter.range());
            case 1 -> {
                Range.LogUniform range = (Range.LogUniform) parameter.range();
                yield new Numeric(parameter.name(), range.low(), range.high(), true);
            }
            case 2 -> {
                Range.Uniform range = (Range.Uniform) parameter.range();
                yield new Numeric(parameter.name(), range.low(), range.high(), false);
            }
            default -> {
                Range.Integers range = (Range.Integers) parameter.range();
                yield new Numeric(parameter.name(), range.low(), range.high(), false);
            }
        };
    }

    private static int kind(Range range) {
        return range instanceof Range.Choice
                ? 0
                : range instanceof Range.LogUniform ? 1 : range instanceof Range.Uniform ? 2 : 3;
    }

    /** From 0 to 1; NaN where the parameter does not exist. */
    final double place(ParameterValues values) {
        Object value = values.values().get(name);
        return value == null ? Double.NaN : place(value);
    }

    /** The cell of a value; -1 where the parameter does not exist. */
    final int bin(ParameterValues values) {
        double place = place(values);
        int count = bins().size();
        return Double.isNaN(place) ? -1 : Math.min(count - 1, (int) (binPlace(place) * count));
    }

    abstract double place(Object value);

    abstract double binPlace(double place);

    abstract List<String> bins();

    abstract List<ParallelCoordinates.Tick> ticks();

    private static final class Choices extends ValueScale {
        private final List<Object> values;

        Choices(String name, Range.Choice choice) {
            super(name);
            values = choice.values();
        }

        @Override
        double place(Object value) {
            return (double) values.indexOf(value) / Math.max(1, values.size() - 1);
        }

        @Override
        double binPlace(double place) {
            return (place * (values.size() - 1) + 0.5) / values.size();
        }

        @Override
        List<String> bins() {
            return values.stream()
                    .map(value -> value instanceof Double number ? Numbers.setting(number) : value.toString())
                    .toList();
        }

        @Override
        List<ParallelCoordinates.Tick> ticks() {
            return IntStream.range(0, values.size())
                    .mapToObj(i -> new ParallelCoordinates.Tick(place(values.get(i)), bins().get(i)))
                    .toList();
        }
    }

    private static final class Numeric extends ValueScale {
        private final double low;
        private final double high;
        private final boolean logarithmic;

        Numeric(String name, double low, double high, boolean logarithmic) {
            super(name);
            this.low = low;
            this.high = high;
            this.logarithmic = logarithmic;
        }

        @Override
        double place(Object value) {
            double number = ((Number) value).doubleValue();
            return logarithmic ? Math.log(number / low) / Math.log(high / low) : (number - low) / (high - low);
        }

        private double at(double place) {
            return logarithmic ? low * Math.pow(high / low, place) : low + place * (high - low);
        }

        @Override
        double binPlace(double place) {
            return place;
        }

        @Override
        List<String> bins() {
            List<String> bins = new ArrayList<>();
            for (int i = 0; i < BINS; i++) {
                bins.add(label((double) i / BINS) + " to " + label((i + 1.0) / BINS));
            }
            return bins;
        }

        @Override
        List<ParallelCoordinates.Tick> ticks() {
            return IntStream.rangeClosed(0, BINS - 1)
                    .mapToObj(i -> i / (BINS - 1.0))
                    .map(place -> new ParallelCoordinates.Tick(place, label(place)))
                    .toList();
        }

        private String label(double place) {
            return Numbers.setting(new java.math.BigDecimal(at(place))
                    .round(new java.math.MathContext(2))
                    .doubleValue());
        }
    }
}
