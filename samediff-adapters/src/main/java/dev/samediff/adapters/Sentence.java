package dev.samediff.adapters;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is said to users, whatever a file put into it: one line of at most {@value #LONGEST} characters, in which a word of more than
 * {@value #LONGEST_WORD} characters is shown by its ends, and nothing a terminal would take for a command.
 */
public final class Sentence {
    /** The most characters a sentence has. */
    public static final int LONGEST = 2000;

    private static final int LONGEST_WORD = 300;
    private static final int BEGIN = 120;
    private static final int END = 30;
    private static final int END_OF_SENTENCE = 500; // what to do is said at the end
    private static final Pattern LINE_ENDS = Pattern.compile("\\s*\\R\\s*");
    private static final Pattern LONG_WORDS = Pattern.compile("\\S{" + (LONGEST_WORD + 1) + ",}+");

    private Sentence() {}

    /** Returns a text as a sentence; what is one already, as it is. */
    public static String of(String text) {
        String line = plain(LINE_ENDS.matcher(text.strip()).replaceAll(" "));
        String words =
                LONG_WORDS.matcher(line).replaceAll(word -> Matcher.quoteReplacement(ends(word.group(), BEGIN, END)));
        return words.length() <= LONGEST ? words : ends(words, LONGEST - END_OF_SENTENCE - 50, END_OF_SENTENCE);
    }

    /** Returns a text with its control characters, line ends and tabs aside, as Java writes them. */
    public static String plain(String text) {
        if (text.chars().noneMatch(Sentence::isControl)) {
            return text;
        }
        StringBuilder plain = new StringBuilder();
        for (char c : text.toCharArray()) {
            plain.append(isControl(c) ? String.format("\\u%04x", (int) c) : String.valueOf(c));
        }
        return plain.toString();
    }

    private static boolean isControl(int c) {
        return Character.isISOControl(c) && c != '\n' && c != '\r' && c != '\t';
    }

    private static String ends(String text, int begin, int end) {
        int from = Character.isHighSurrogate(text.charAt(begin - 1)) ? begin - 1 : begin;
        int to = text.length() - end;
        to = Character.isLowSurrogate(text.charAt(to)) ? to + 1 : to;
        return text.substring(0, from) + "... (" + text.length() + " characters) ..." + text.substring(to);
    }
}
