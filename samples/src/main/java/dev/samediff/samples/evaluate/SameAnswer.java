package dev.samediff.samples.evaluate;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether two answers mean the same: equal numbers, however they are written, or equal texts apart from how LaTeX sets them. */
final class SameAnswer {
    private static final Pattern NUMBER = Pattern.compile(
            "[$€£¥]?\\s*([-+]?)\\s*[$€£¥]?\\s*(\\d{1,3}(?:,\\d{3})+|\\d+)?(\\.\\d*)?\\s*%?(?:\\s+[\\p{L} ]+)?\\.?");

    private static final Pattern FRACTION =
            Pattern.compile("([-+]?)(?:\\\\frac\\{([-+]?\\d+)\\}\\{([-+]?\\d+)\\}|(\\d+)\\s*/\\s*(\\d+))");

    private SameAnswer() {}

    static boolean of(String written, String expected) {
        String a = plain(written);
        String b = plain(expected);
        Optional<BigDecimal> first = number(a);
        Optional<BigDecimal> second = number(b);
        if (first.isPresent() && second.isPresent()) {
            return first.get().compareTo(second.get()) == 0;
        }
        return a.replaceAll("\\s+", "").equals(b.replaceAll("\\s+", ""));
    }

    /** Without what LaTeX needs for its looks only; the list is that of Hendrycks et al. (2021), in part. */
    private static String plain(String answer) {
        return answer.strip()
                .replaceAll("\\\\[!,;]|\\\\left(?![a-z])|\\\\right(?![a-z])", "")
                .replace("\\$", "$")
                .replace("\\%", "%")
                .replace("\\ ", " ")
                .replace("tfrac", "frac")
                .replace("dfrac", "frac")
                .replaceAll("\\^\\{?\\\\circ\\}?", "")
                .replaceAll("\\\\text\\{([^{}]*)\\}", "$1")
                .replaceAll("^\\$([^$]*)\\$$", "$1")
                .replaceAll("\\.$", "")
                .strip();
    }

    /** Returns the number that an answer is, if it is one: with a currency, thousands apart, a per cent sign, words behind it. */
    private static Optional<BigDecimal> number(String answer) {
        Matcher fraction = FRACTION.matcher(answer);
        if (fraction.matches()) {
            boolean latex = fraction.group(2) != null;
            BigDecimal above = new BigDecimal(fraction.group(latex ? 2 : 4));
            BigDecimal below = new BigDecimal(fraction.group(latex ? 3 : 5));
            return below.signum() == 0
                    ? Optional.empty()
                    : Optional.of(signed(fraction.group(1), above.divide(below, MathContext.DECIMAL64)));
        }
        Matcher number = NUMBER.matcher(answer);
        if (!number.matches()) {
            return Optional.empty();
        }
        String whole = number.group(2) == null ? "" : number.group(2).replace(",", "");
        String part = number.group(3) == null ? "" : number.group(3);
        if (whole.isEmpty() && part.length() < 2) {
            return Optional.empty();
        }
        return Optional.of(signed(number.group(1), new BigDecimal("0" + whole + (part.length() > 1 ? part : ""))));
    }

    private static BigDecimal signed(String sign, BigDecimal number) {
        return sign.equals("-") ? number.negate() : number;
    }
}
