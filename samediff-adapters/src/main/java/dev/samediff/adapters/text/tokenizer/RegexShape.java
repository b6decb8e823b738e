package dev.samediff.adapters.text.tokenizer;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Whether a backtracking matcher, such as Oniguruma in the tokenizers library, which aborts after ten million steps, surely needs few
 * steps for a regular expression, whatever the text.
 *
 * <p>Few is: in a branch, at most one repetition without a limit that something obligatory follows, no repetition of a group that holds
 * a repetition or branches, no reference back, no count above {@value #COUNT}. The expressions of GPT-2, Llama 3, Qwen, DeepSeek and
 * GPT-4o are such. Others may still be harmless.
 */
final class RegexShape {
    private static final int LONGEST = 2000;
    private static final int COUNT = 100;

    private final String regex;
    private int at;

    /** What the open branch of a group has so far, and the worst of its branches. */
    private static final class Level {
        /** Whether the group matches texts of several lengths, or one text in several ways. */
        private boolean varies;
        /** Repetitions without a limit, of which those at the end are not counted yet. */
        private int repetitions;

        private int last;
        private int worst;

        /** Something that must match follows. */
        void obligatory() {
            repetitions += last;
            last = 0;
        }

        void endBranch() {
            worst = Math.max(worst, repetitions);
            repetitions = 0;
            last = 0;
        }
    }

    private RegexShape(String regex) {
        this.regex = regex;
    }

    static boolean isPlain(String regex) {
        return regex.length() <= LONGEST && new RegexShape(regex).plain();
    }

    private boolean plain() {
        Deque<Level> open = new ArrayDeque<>();
        open.push(new Level());
        while (at < regex.length()) {
            char c = regex.charAt(at++);
            Level group = new Level();
            if (c == '(') {
                open.push(new Level());
                skipKind();
                continue;
            } else if (c == '|') {
                open.element().endBranch();
                open.element().varies = true;
                continue;
            } else if (c == ')') {
                group = open.pop();
                // what repeats at the end of a group may be followed by something behind it
                group.obligatory();
                group.endBranch();
            } else if ((c == '[' && !skipSet()) || (c == '\\' && !skipEscape())) {
                return false;
            }
            if (open.isEmpty() || !quantified(open.element(), group)) {
                return false;
            }
        }
        Level whole = open.element();
        whole.endBranch();
        return open.size() == 1 && whole.worst <= 1;
    }

    /** Reads a quantifier of what was read last, if there is one; returns whether it is harmless. */
    private boolean quantified(Level level, Level group) {
        int[] range = range();
        int least = range[0];
        int most = range[1];
        if (most != 1 && (group.varies || group.worst > 0)) {
            return false;
        }
        if (most > COUNT || least > COUNT) {
            return false;
        }
        if (least > 0) {
            level.obligatory();
        }
        level.last += most < 0 ? 1 : group.worst;
        level.varies |= least != most || group.varies;
        return true;
    }

    /** Least and most repetitions, -1 for no limit, of what stands before; 1 and 1 if nothing is said. */
    private int[] range() {
        int[] range = {1, 1};
        if (at == regex.length()) {
            return range;
        }
        switch (regex.charAt(at)) {
            case '*' -> range = new int[] {0, -1};
            case '+' -> range = new int[] {1, -1};
            case '?' -> range = new int[] {0, 1};
            case '{' -> {
                int end = regex.indexOf('}', at);
                String[] parts =
                        end < 0 ? new String[0] : regex.substring(at + 1, end).split(",", -1);
                if (parts.length == 0 || parts.length > 2 || !parts[0].matches("\\d{1,6}")) {
                    return new int[] {1, Integer.MAX_VALUE};
                }
                int least = Integer.parseInt(parts[0]);
                boolean open = parts.length == 2 && parts[1].isEmpty();
                if (parts.length == 2 && !open && !parts[1].matches("\\d{1,6}")) {
                    return new int[] {1, Integer.MAX_VALUE};
                }
                range = new int[] {least, open ? -1 : Integer.parseInt(parts[parts.length - 1])};
                at = end;
            }
            default -> {
                return range;
            }
        }
        at++;
        if (at < regex.length() && (regex.charAt(at) == '?' || regex.charAt(at) == '+')) {
            at++;
        }
        return range;
    }

    /** Skips {@code ?:}, {@code ?i:}, {@code ?=}, {@code ?<name>} and the like behind an opening parenthesis. */
    private void skipKind() {
        if (at < regex.length() && regex.charAt(at) == '?') {
            at++;
            while (at < regex.length() && ":=!>)".indexOf(regex.charAt(at)) < 0) {
                at++;
            }
            if (at < regex.length() && regex.charAt(at) != ')') {
                at++;
            }
        }
    }

    private boolean skipSet() {
        int depth = 1;
        at += at < regex.length() && regex.charAt(at) == '^' ? 1 : 0;
        at += at < regex.length() && regex.charAt(at) == ']' ? 1 : 0;
        while (at < regex.length() && depth > 0) {
            char c = regex.charAt(at++);
            depth += c == '[' ? 1 : c == ']' ? -1 : 0;
            at += c == '\\' ? 1 : 0;
        }
        return depth == 0 && at <= regex.length();
    }

    private boolean skipEscape() {
        if (at == regex.length() || "123456789kg".indexOf(regex.charAt(at)) >= 0) {
            return false;
        }
        char c = regex.charAt(at++);
        if ("pPxo".indexOf(c) >= 0 && at < regex.length() && regex.charAt(at) == '{') {
            int end = regex.indexOf('}', at);
            at = end + 1;
            return end >= 0;
        }
        return true;
    }
}
