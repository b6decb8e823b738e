package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.List;

/** The text of a sequence as it grows: finds stop strings, and says what of it will not change any more. */
final class WrittenText {
    /** What decoders write for a character of which bytes are missing. */
    private static final char INCOMPLETE = '\ufffd';

    private final Tokenizer tokenizer;
    private final List<String> stops;
    private String text = "";
    private int told;
    private boolean stopped;

    WrittenText(Tokenizer tokenizer, List<String> stops) {
        this.tokenizer = tokenizer;
        this.stops = stops;
    }

    /** Reads all tokens so far; returns whether a stop string is among them, before which the text then ends. */
    boolean read(int... ids) {
        text = tokenizer.decode(ids);
        int end = -1;
        for (String stop : stops) {
            int place = text.indexOf(stop);
            end = place < 0 || (end >= 0 && end < place) ? end : place;
        }
        if (end >= 0) {
            text = text.substring(0, end);
            stopped = true;
        }
        return stopped;
    }

    String text() {
        return text;
    }

    /** Returns what was not told yet and cannot change; everything if the text is at its end. */
    String next(boolean atEnd) {
        int sure = text.length();
        if (!atEnd && !stopped) {
            while (sure > 0 && text.charAt(sure - 1) == INCOMPLETE) {
                sure--;
            }
            if (sure > 0 && Character.isHighSurrogate(text.charAt(sure - 1))) {
                sure--;
            }
            sure = Math.min(sure, text.length() - longestBeginningOfAStop());
        }
        if (sure <= told) {
            return "";
        }
        String piece = text.substring(told, sure);
        told = sure;
        return piece;
    }

    /** Returns how many characters at the end of the text may be the beginning of a stop string. */
    private int longestBeginningOfAStop() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, text.length()); length > longest; length--) {
                if (text.endsWith(stop.substring(0, length))) {
                    longest = length;
                }
            }
        }
        return longest;
    }
}
