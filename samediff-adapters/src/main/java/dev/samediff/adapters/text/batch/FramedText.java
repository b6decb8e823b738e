package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.Arrays;

/** Texts in the frame a model was pretrained with, such as {@code [CLS] text [SEP]}, cut to a length inside of it. */
public final class FramedText {
    private FramedText() {}

    /**
     * Returns a text's tokens in its frame; of a longer one the body is cut on the right, the frame stays.
     *
     * @param maxLength most tokens, those of the frame included
     */
    public static int[] cut(Tokenizer tokenizer, String text, int maxLength) {
        int[] framed = tokenizer.encodeFramed(text);
        return framed.length <= maxLength ? framed : cut(framed, tokenizer.encode(text), maxLength);
    }

    /** Cuts the body inside its frame: {@code head body tail} to {@code head body' tail}. */
    private static int[] cut(int[] framed, int[] body, int maxLength) {
        int[] result = Arrays.copyOf(framed, maxLength);
        int kept = Math.min(Frame.of(framed, body).tail(), maxLength);
        System.arraycopy(framed, framed.length - kept, result, maxLength - kept, kept);
        return result;
    }

    /**
     * How many tokens stand before and behind a text.
     *
     * @param head those before it; 0 if the text is not found in its frame
     * @param tail those behind it; 0 likewise
     */
    record Frame(int head, int tail) {
        /** Finds a text's tokens in those of the framed text. */
        static Frame of(int[] framed, int[] body) {
            for (int head = 0; head + body.length <= framed.length; head++) {
                if (Arrays.equals(framed, head, head + body.length, body, 0, body.length)) {
                    return new Frame(head, framed.length - head - body.length);
                }
            }
            return new Frame(0, 0);
        }
    }
}
