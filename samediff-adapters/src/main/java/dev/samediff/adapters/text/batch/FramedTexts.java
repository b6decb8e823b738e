package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;

/**
 * Texts as token ids in the tokenizer's frame, {@code [CLS] text [SEP]}, none longer than the maximum length.
 *
 * @param ids token ids by text
 * @param cut how many texts were cut, on the right inside their frame
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record FramedTexts(int[][] ids, int cut) implements Serializable {
    /**
     * Encodes texts.
     *
     * @throws InvalidInputException if one has no tokens
     */
    static FramedTexts of(List<String> texts, Tokenizer tokenizer, int maxLength) {
        int[][] ids = new int[texts.size()][];
        int cut = 0;
        for (int i = 0; i < ids.length; i++) {
            ids[i] = tokenizer.encodeFramed(texts.get(i));
            if (ids[i].length > maxLength) {
                ids[i] = FramedText.cut(tokenizer, texts.get(i), maxLength);
                cut++;
            }
            if (ids[i].length == 0) {
                throw new InvalidInputException("text " + i + " has no tokens; leave out empty texts");
            }
        }
        return new FramedTexts(ids, cut);
    }

    /** Refuses a plan that puts several texts into a row. */
    static void requireUnpacked(BatchPlan plan, String what) {
        if (plan.packing() != Packing.NONE) {
            throw new InvalidInputException(
                    "packing " + plan.packing() + " is for language models; " + what + " has one text per row");
        }
    }

    int[] lengths() {
        return Arrays.stream(ids).mapToInt(row -> row.length).toArray();
    }
}
