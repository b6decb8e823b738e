package dev.samediff.importer;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the elements of a tensor can be.
 *
 * @param all what any of them can be
 * @param each what each of them can be, of short vectors; null of others
 */
record Numbers(Span all, @Nullable List<Span> each) {
    static final Numbers UNKNOWN = new Numbers(Span.ANY, null);
    static final Numbers TRUTHS = new Numbers(new Span(0, 1), null);

    /** Numbers from low to high. */
    record Span(double low, double high) {
        static final Span ANY = new Span(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);

        Span {
            if (Double.isNaN(low) || Double.isNaN(high) || low > high) {
                low = Double.NEGATIVE_INFINITY;
                high = Double.POSITIVE_INFINITY;
            }
        }

        static Span of(double... corners) {
            double low = Double.POSITIVE_INFINITY;
            double high = Double.NEGATIVE_INFINITY;
            for (double corner : corners) {
                if (Double.isNaN(corner)) {
                    return ANY;
                }
                low = Math.min(low, corner);
                high = Math.max(high, corner);
            }
            return new Span(low, high);
        }

        Span with(Span other) {
            return new Span(Math.min(low, other.low), Math.max(high, other.high));
        }
    }

    static Numbers of(Span span) {
        return new Numbers(span, null);
    }

    static Numbers of(List<Span> each) {
        return new Numbers(each.stream().reduce(Span::with).orElse(Span.ANY), each);
    }

    Numbers with(Numbers other) {
        return of(all.with(other.all));
    }

    /** What one element can be. */
    Span at(int index) {
        return each != null && index >= 0 && index < each.size() ? each.get(index) : all;
    }
}
