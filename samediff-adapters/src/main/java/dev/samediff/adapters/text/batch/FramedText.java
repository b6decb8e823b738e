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
        int tail = 0;
        for (int head = 0; head + body.length <= framed.length; head++) {
            if (Arrays.equals(framed, head, head + body.length, body, 0, body.length)) {
                tail = framed.length - head - body.length;
                break;
            }
        }
        int[] result = Arrays.copyOf(framed, maxLength);
        int kept = Math.min(tail, maxLength);
        System.arraycopy(framed, framed.length - kept, result, maxLength - kept, kept);
        return result;
    }
}
