package dev.samediff.adapters.graph;

import dev.samediff.adapters.graph.PatternNode.Atomic;
import dev.samediff.adapters.graph.PatternNode.Back;
import dev.samediff.adapters.graph.PatternNode.Choice;
import dev.samediff.adapters.graph.PatternNode.Group;
import dev.samediff.adapters.graph.PatternNode.Look;
import dev.samediff.adapters.graph.PatternNode.One;
import dev.samediff.adapters.graph.PatternNode.Place;
import dev.samediff.adapters.graph.PatternNode.Repeat;
import dev.samediff.adapters.graph.PatternNode.Sequence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/**
 * Reads regular expressions as Python's {@code re} does, since PEFT's files are written for it; {@code (?<name>...)}, as Java and
 * newer Pythons write {@code (?P<name>...)}, is read too. Not read: conditions on groups, the flags a, L and x.
 */
final class PatternParser {
    private static final int DEEPEST = 100;
    private static final String CLASSES = "dDwWsS";

    private final int[] text;
    private final Map<String, Integer> names = new HashMap<>();
    private int at;
    private int groups;
    private int depth;
    private boolean ignoreCase;
    private boolean dotAll;
    private boolean multiLine;

    /** An expression that cannot be read; the message completes the sentence "... cannot be read: ". */
    static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        Unreadable(String what, int position) {
            super(what + " near position " + position);
        }
    }

    PatternParser(String regex) {
        text = regex.codePoints().toArray();
    }

    PatternNode parse() throws Unreadable {
        PatternNode node = choice();
        if (at < text.length) {
            throw unreadable("a ) without its (");
        }
        return node;
    }

    /** The numbers of groups by name. */
    Map<String, Integer> names() {
        return names;
    }

    int groups() {
        return groups;
    }

    private PatternNode choice() throws Unreadable {
        if (++depth > DEEPEST) {
            throw unreadable("more than " + DEEPEST + " groups within groups");
        }
        boolean[] flags = {ignoreCase, dotAll, multiLine};
        List<PatternNode> branches = new ArrayList<>();
        do {
            branches.add(sequence());
        } while (take('|'));
        ignoreCase = flags[0];
        dotAll = flags[1];
        multiLine = flags[2];
        depth--;
        return branches.size() == 1 ? branches.get(0) : new Choice(branches);
    }

    private PatternNode sequence() throws Unreadable {
        List<PatternNode> parts = new ArrayList<>();
        while (at < text.length && text[at] != '|' && text[at] != ')') {
            PatternNode atom = atom();
            parts.add(quantified(atom));
        }
        return parts.size() == 1 ? parts.get(0) : new Sequence(parts);
    }

    private PatternNode quantified(PatternNode atom) throws Unreadable {
        int start = at;
        int[] range = range();
        if (range.length == 0) {
            return atom;
        }
        if (atom instanceof Place) {
            throw new Unreadable("nothing that could be repeated", start);
        }
        boolean lazy = take('?');
        boolean possessive = !lazy && take('+');
        int end = at;
        if (range().length > 0) {
            throw new Unreadable("a repetition of a repetition", end);
        }
        PatternNode repeat = new Repeat(atom, range[0], range[1], lazy);
        return possessive ? new Atomic(repeat) : repeat;
    }

    /** Least and most repetitions; empty, and nothing read, if none are written here. */
    private int[] range() throws Unreadable {
        if (take('*')) {
            return new int[] {0, -1};
        }
        if (take('+')) {
            return new int[] {1, -1};
        }
        if (take('?')) {
            return new int[] {0, 1};
        }
        int start = at;
        if (take('{')) {
            int min = number();
            boolean comma = take(',');
            int max = comma ? number() : min;
            if (take('}') && (min >= 0 || comma)) {
                if (max >= 0 && max < min) {
                    throw new Unreadable("fewer repetitions at most than at least", start);
                }
                return new int[] {Math.max(0, min), comma ? max : min};
            }
        }
        at = start;
        return new int[0];
    }

    /** A number, at most a billion; -1 if there is none. */
    private int number() {
        long value = -1;
        while (at < text.length && text[at] >= '0' && text[at] <= '9') {
            value = Math.min(1_000_000_000, Math.max(0, value) * 10 + text[at++] - '0');
        }
        return (int) value;
    }

    private PatternNode atom() throws Unreadable {
        int c = text[at++];
        return switch (c) {
            case '(' -> group();
            case '[' -> set();
            case '.' -> dotAll ? new One(any -> true) : new One(any -> any != '\n');
            case '^' -> multiLine ? Place.LINE_START : Place.START;
            case '$' -> multiLine ? Place.LINE_END : Place.END_OR_LAST_NEWLINE;
            case '\\' -> escape();
            case '*', '+', '?' -> throw new Unreadable("nothing that could be repeated", at - 1);
            default -> literal(c);
        };
    }

    private PatternNode group() throws Unreadable {
        int start = at - 1;
        PatternNode node;
        if (!take('?')) {
            node = remembered("");
        } else if (take(':')) {
            node = new Sequence(List.of(choice()));
        } else if (take('=')) {
            node = new Look(choice(), true, true);
        } else if (take('!')) {
            node = new Look(choice(), true, false);
        } else if (take('>')) {
            node = new Atomic(choice());
        } else if (take('#')) {
            while (at < text.length && text[at] != ')') {
                at++;
            }
            node = new Sequence(List.of());
        } else if (take('P')) {
            if (take('=')) {
                node = new Back(named(until(')')), ignoreCase);
                at--;
            } else if (take('<')) {
                node = remembered(until('>'));
            } else {
                throw unreadable("an unknown kind of group");
            }
        } else if (take('<')) {
            node = take('=')
                    ? new Look(choice(), false, true)
                    : take('!') ? new Look(choice(), false, false) : remembered(until('>'));
        } else {
            return flags(start);
        }
        close(start);
        return node;
    }

    private void close(int start) throws Unreadable {
        if (!take(')')) {
            throw new Unreadable("a ( without its )", start);
        }
    }

    private PatternNode remembered(String name) throws Unreadable {
        int index = ++groups;
        if (!name.isEmpty() && names.put(name, index) != null) {
            throw unreadable("two groups with the name " + name);
        }
        return new Group(choice(), index);
    }

    /** {@code (?i)} for the rest of the group, {@code (?i:...)} for its content. */
    private PatternNode flags(int start) throws Unreadable {
        boolean[] before = {ignoreCase, dotAll, multiLine};
        boolean on = true;
        for (; at < text.length && text[at] != ')' && text[at] != ':'; at++) {
            switch (text[at]) {
                case '-' -> on = false;
                case 'i' -> ignoreCase = on;
                case 's' -> dotAll = on;
                case 'm' -> multiLine = on;
                case 'u' -> {}
                default -> throw unreadable("an unknown kind of group or flag");
            }
        }
        if (take(':')) {
            PatternNode node = choice();
            close(start);
            ignoreCase = before[0];
            dotAll = before[1];
            multiLine = before[2];
            return node;
        }
        close(start);
        return new Sequence(List.of());
    }

    private PatternNode escape() throws Unreadable {
        if (at == text.length) {
            throw unreadable("a \\ at the end");
        }
        int c = text[at];
        if (c >= '1' && c <= '9') {
            int group = number();
            if (group > groups) {
                throw unreadable("no group " + group + " before this place");
            }
            return new Back(group, ignoreCase);
        }
        switch (c) {
            case 'A', 'Z', 'b', 'B' -> {
                at++;
                return c == 'A' ? Place.START : c == 'Z' ? Place.END : c == 'b' ? Place.WORD_EDGE : Place.NO_WORD_EDGE;
            }
            default -> {
                if (CLASSES.indexOf(c) >= 0) {
                    at++;
                    return new One(PatternSets.kind(c));
                }
                return literal(character(false));
            }
        }
    }

    /** One escaped character, behind its backslash. */
    private int character(boolean inSet) throws Unreadable {
        int c = text[at++];
        return switch (c) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'f' -> '\f';
            case 'v' -> 0x0b;
            case 'a' -> 0x07;
            case '0' -> 0;
            case 'x' -> hexadecimal(2);
            case 'u' -> hexadecimal(4);
            case 'U' -> hexadecimal(8);
            case 'b' -> {
                if (inSet) {
                    yield '\b';
                }
                throw unreadable("an unknown escape");
            }
            default -> {
                if (c < 128 && Character.isLetterOrDigit(c)) {
                    at--;
                    throw unreadable("an unknown escape");
                }
                yield c;
            }
        };
    }

    private int hexadecimal(int digits) throws Unreadable {
        long value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < text.length ? Character.digit(text[at], 16) : -1;
            if (digit < 0) {
                throw unreadable("fewer than " + digits + " hexadecimal digits");
            }
            value = 16 * value + digit;
            at++;
        }
        if (value > Character.MAX_CODE_POINT) {
            throw unreadable("no such character");
        }
        return (int) value;
    }

    private PatternNode set() throws Unreadable {
        int start = at - 1;
        boolean negated = take('^');
        List<IntPredicate> members = new ArrayList<>();
        for (boolean first = true; first || at >= text.length || text[at] != ']'; first = false) {
            if (at >= text.length) {
                throw new Unreadable("a [ without its ]", start);
            }
            int kind =
                    text[at] == '\\' && at + 1 < text.length && CLASSES.indexOf(text[at + 1]) >= 0 ? text[at + 1] : -1;
            if (kind >= 0) {
                at += 2;
                members.add(PatternSets.kind(kind));
                continue;
            }
            int low = member();
            int high = low;
            if (at + 1 < text.length && text[at] == '-' && text[at + 1] != ']') {
                at++;
                high = member();
                if (high < low) {
                    throw unreadable("a range of characters from " + low + " down to " + high);
                }
            }
            members.add(PatternSets.range(low, high));
        }
        at++;
        return new One(PatternSets.any(members, negated, ignoreCase));
    }

    private int member() throws Unreadable {
        int c = text[at++];
        if (c != '\\') {
            return c;
        }
        if (at == text.length) {
            throw unreadable("a \\ at the end");
        }
        return character(true);
    }

    private PatternNode literal(int c) {
        return new One(PatternSets.any(List.of(PatternSets.range(c, c)), false, ignoreCase));
    }

    private int named(String name) throws Unreadable {
        Integer index = names.get(name);
        if (index == null) {
            throw unreadable("no group with the name " + name + " before this place");
        }
        return index;
    }

    /** A name, and the character that ends it. */
    private String until(char end) throws Unreadable {
        StringBuilder name = new StringBuilder();
        while (at < text.length && (Character.isLetterOrDigit(text[at]) || text[at] == '_')) {
            name.appendCodePoint(text[at++]);
        }
        if (name.isEmpty() || !take(end)) {
            throw unreadable("no name of a group");
        }
        return name.toString();
    }

    private boolean take(char c) {
        if (at < text.length && text[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    private Unreadable unreadable(String what) {
        return new Unreadable(what, at);
    }
}
