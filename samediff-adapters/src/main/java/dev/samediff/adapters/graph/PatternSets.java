package dev.samediff.adapters.graph;

import java.util.List;
import java.util.function.IntPredicate;

/** Sets of characters in regular expressions, as Python has them for text. */
final class PatternSets {
    private PatternSets() {}

    /** Digits, word characters or spaces: {@code d}, {@code w}, {@code s}, and in capitals the others. */
    static IntPredicate kind(int letter) {
        return switch (letter) {
            case 'd' -> Character::isDigit;
            case 'D' -> c -> !Character.isDigit(c);
            case 'w' -> PatternSets::isWord;
            case 'W' -> c -> !isWord(c);
            case 's' -> PatternSets::isSpace;
            case 'S' -> c -> !isSpace(c);
            default -> throw new IllegalArgumentException("no set \\" + Character.toString(letter));
        };
    }

    static IntPredicate range(int low, int high) {
        return c -> c >= low && c <= high;
    }

    /** Whatever is in one of the sets, or in none. */
    static IntPredicate any(List<IntPredicate> sets, boolean negated, boolean ignoreCase) {
        List<IntPredicate> all = List.copyOf(sets);
        return c -> {
            boolean in = in(all, c)
                    || (ignoreCase && (in(all, Character.toLowerCase(c)) || in(all, Character.toUpperCase(c))));
            return in != negated;
        };
    }

    static boolean isWord(int c) {
        return c == '_' || Character.isLetterOrDigit(c) || Character.getType(c) == Character.OTHER_NUMBER;
    }

    private static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    private static boolean in(List<IntPredicate> sets, int c) {
        for (IntPredicate set : sets) {
            if (set.test(c)) {
                return true;
            }
        }
        return false;
    }
}
