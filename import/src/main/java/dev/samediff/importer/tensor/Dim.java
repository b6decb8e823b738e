package dev.samediff.importer.tensor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * A size that may not be known before the graph runs: a polynomial with whole coefficients over named symbols, such as
 * {@code 2*batch*sequence + 1}.
 *
 * <p>Symbols stand for sizes of axes and are taken to be zero or more, except those whose name begins with
 * {@link #ANY_SIGN}, which stand for elements of computed integer tensors.
 */
public final class Dim {
    /** First character of symbols about whose sign nothing is known. */
    public static final char ANY_SIGN = '~';

    /** First character of symbols for sizes that are found out when the graph runs. */
    public static final char COMPUTED = '?';

    /** The size one. */
    public static final Dim ONE = of(1);

    /** The size zero. */
    public static final Dim ZERO = of(0);

    private static final int MOST_TERMS = 64;
    private static final int MOST_FACTORS = 16;

    /** Coefficients by monomial; a monomial is its sorted symbols joined by '*', the constant term is "". */
    private final NavigableMap<String, Long> terms;

    private Dim(NavigableMap<String, Long> terms) {
        terms.values().removeIf(coefficient -> coefficient == 0);
        if (terms.size() > MOST_TERMS
                || terms.keySet().stream().anyMatch(monomial -> degree(monomial) > MOST_FACTORS)) {
            throw new ArithmeticException("a size is made of too many others to be followed");
        }
        this.terms = terms;
    }

    /** Returns the known size {@code value}. */
    public static Dim of(long value) {
        TreeMap<String, Long> terms = new TreeMap<>();
        terms.put("", value);
        return new Dim(terms);
    }

    /** Returns the size that {@code name} stands for. */
    public static Dim symbol(String name) {
        TreeMap<String, Long> terms = new TreeMap<>();
        terms.put(name.replace('*', '.'), 1L);
        return new Dim(terms);
    }

    /** Tells whether the size is a number. */
    public boolean isKnown() {
        return terms.isEmpty() || (terms.size() == 1 && terms.containsKey(""));
    }

    /** Tells whether the size is the number {@code value}. */
    public boolean is(long value) {
        return isKnown() && known() == value;
    }

    /**
     * Returns the number.
     *
     * @throws IllegalStateException if the size is not known
     */
    public long known() {
        if (!isKnown()) {
            throw new IllegalStateException("size " + this + " is not known");
        }
        return terms.getOrDefault("", 0L);
    }

    /** Returns the symbol if the size is exactly one symbol. */
    public Optional<String> asSymbol() {
        if (terms.size() != 1 || terms.firstEntry().getValue() != 1) {
            return Optional.empty();
        }
        String monomial = terms.firstKey();
        return monomial.isEmpty() || monomial.indexOf('*') >= 0 ? Optional.empty() : Optional.of(monomial);
    }

    /** Returns the coefficients by monomial, each monomial as the list of its symbols. */
    public Map<List<String>, Long> terms() {
        Map<List<String>, Long> result = new LinkedHashMap<>();
        terms.forEach((monomial, coefficient) -> result.put(symbols(monomial), coefficient));
        return result;
    }

    /** Tells whether the size is zero or more whatever the symbols are. */
    public boolean isNonNegative() {
        return terms.entrySet().stream().allMatch(term -> term.getValue() >= 0 && !hasAnySign(term.getKey()));
    }

    /** Tells whether the size is one or more for every input that occurs, see {@link #least}. */
    public boolean isPositive() {
        return least().orElse(0) > 0;
    }

    /**
     * Returns a number that the size never is below, for every input that occurs: sizes that a file declares are one or more,
     * those of a past and those that are found out while running zero or more. Nothing, if it may have any sign.
     */
    public OptionalLong least() {
        long least = 0;
        for (Map.Entry<String, Long> term : terms.entrySet()) {
            List<String> factors = symbols(term.getKey());
            if (term.getValue() < 0 && !factors.isEmpty() || hasAnySign(term.getKey())) {
                return OptionalLong.empty();
            }
            least += factors.stream().allMatch(Dim::isOneOrMore) ? term.getValue() : 0;
        }
        return OptionalLong.of(least);
    }

    /** Tells whether the size is so much or more for every input that occurs. */
    public boolean isAtLeast(long number) {
        OptionalLong least = least();
        return least.isPresent() && least.getAsLong() >= number;
    }

    private static boolean isOneOrMore(String symbol) {
        String lower = symbol.toLowerCase(Locale.ROOT);
        return symbol.charAt(0) != COMPUTED && !lower.contains("past") && !lower.contains("cache");
    }

    /** Returns the sum. */
    public Dim plus(Dim other) {
        TreeMap<String, Long> sum = new TreeMap<>(terms);
        other.terms.forEach((monomial, coefficient) -> sum.merge(monomial, coefficient, Math::addExact));
        return new Dim(sum);
    }

    /** Returns the difference. */
    public Dim minus(Dim other) {
        return plus(other.times(of(-1)));
    }

    /** Returns the product. */
    public Dim times(Dim other) {
        TreeMap<String, Long> product = new TreeMap<>();
        terms.forEach((left, a) -> other.terms.forEach(
                (right, b) -> product.merge(multiply(left, right), Math.multiplyExact(a, b), Math::addExact)));
        return new Dim(product);
    }

    /** Returns the quotient if the division leaves no remainder whatever the symbols are (long division). */
    public Optional<Dim> dividedBy(Dim divisor) {
        if (divisor.terms.isEmpty()) {
            return Optional.empty();
        }
        Map.Entry<String, Long> leader = divisor.terms.lastEntry();
        Dim rest = this;
        Dim quotient = ZERO;
        for (int i = 0; !rest.terms.isEmpty(); i++) {
            Optional<Dim> step = divide(rest.terms.lastEntry(), leader);
            if (step.isEmpty() || i > MOST_TERMS) {
                return Optional.empty();
            }
            quotient = quotient.plus(step.get());
            rest = rest.minus(step.get().times(divisor));
        }
        return Optional.of(quotient);
    }

    private static Optional<Dim> divide(Map.Entry<String, Long> term, Map.Entry<String, Long> by) {
        List<String> left = new ArrayList<>(symbols(term.getKey()));
        for (String symbol : symbols(by.getKey())) {
            if (!left.remove(symbol)) {
                return Optional.empty();
            }
        }
        if (term.getValue() % by.getValue() != 0) {
            return Optional.empty();
        }
        TreeMap<String, Long> result = new TreeMap<>();
        result.put(String.join("*", left), term.getValue() / by.getValue());
        return Optional.of(new Dim(result));
    }

    private static List<String> symbols(String monomial) {
        return monomial.isEmpty() ? List.of() : List.of(monomial.split("\\*", -1));
    }

    private static long degree(String monomial) {
        return monomial.chars().filter(c -> c == '*').count() + 1;
    }

    private static String multiply(String left, String right) {
        List<String> all = new ArrayList<>(symbols(left));
        all.addAll(symbols(right));
        Collections.sort(all);
        return String.join("*", all);
    }

    private static boolean hasAnySign(String monomial) {
        return symbols(monomial).stream().anyMatch(symbol -> symbol.charAt(0) == ANY_SIGN);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Dim dim && dim.terms.equals(terms);
    }

    @Override
    public int hashCode() {
        return terms.hashCode();
    }

    @Override
    public String toString() {
        if (isKnown()) {
            return Long.toString(known());
        }
        List<String> parts = new ArrayList<>();
        terms.forEach((monomial, coefficient) -> parts.add(
                monomial.isEmpty()
                        ? coefficient.toString()
                        : coefficient == 1 ? monomial : coefficient + "*" + monomial));
        return String.join(" + ", parts);
    }
}
