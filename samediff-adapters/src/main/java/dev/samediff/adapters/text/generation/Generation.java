package dev.samediff.adapters.text.generation;

import java.util.Arrays;

/**
 * What was generated after one prompt.
 *
 * @param text the new text, without the prompt, the end token and a stop string
 * @param ids the new token ids, without the prompt and the end token, with those of a stop string; do not change them
 * @param end why it ended
 */
@SuppressWarnings("ArrayRecordComponent") // compared by content below
public record Generation(String text, int[] ids, End end) {
    /** Why a generation ended. */
    public enum End {
        /** The model emitted an end token. */
        EOS,
        /** One of the plan's stop strings is written; the text ends before it. */
        STOP_STRING,
        /** The listener wants no more of it. */
        CANCELLED,
        /** The planned number of new tokens is reached. */
        MAX_NEW_TOKENS,
        /** The model's context is full. */
        CONTEXT
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Generation that
                && text.equals(that.text)
                && Arrays.equals(ids, that.ids)
                && end == that.end;
    }

    @Override
    public int hashCode() {
        return 31 * text.hashCode() + Arrays.hashCode(ids);
    }
}
