package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.text.batch.BatchArrays;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Asks a model for the scores of the tokens that follow some texts.
 *
 * @param model the model
 * @param tokenizer its tokenizer
 * @param plan lengths
 */
record NextScores(LogitsFunction model, Tokenizer tokenizer, GenerationPlan plan) {
    /**
     * Returns the logits of the tokens that the tokenizer knows, for each text.
     *
     * @param texts token ids
     */
    float[][] of(List<int[]> texts) {
        int width = width(texts);
        int[] lengths = new int[texts.size()];
        long[] ids = new long[texts.size() * width];
        Arrays.fill(ids, tokenizer.padId());
        for (int row = 0; row < lengths.length; row++) {
            int[] text = texts.get(row);
            lengths[row] = text.length;
            for (int t = 0; t < text.length; t++) {
                ids[row * width + t] = text[t];
            }
        }
        INDArray logits = model.logits(BatchArrays.longs(ids, lengths.length, width), lengths.clone());
        int vocabulary = tokenizer.vocabularySize();
        LastLogits.check(logits, lengths.length, width, vocabulary);
        float[][] scores = new float[lengths.length][];
        for (int row = 0; row < lengths.length; row++) {
            float[] all = LastLogits.of(logits, row, lengths[row] - 1);
            // Models pad their vocabulary; ids the tokenizer does not know cannot be decoded.
            scores[row] = all.length == vocabulary ? all : Arrays.copyOf(all, vocabulary);
        }
        return scores;
    }

    /**
     * Checks the logits of one text.
     *
     * @param number the number of its prompt
     * @param length its tokens
     * @throws NonFiniteLogitsException if no token can be chosen by them
     */
    static void check(float[] logits, int number, int length) {
        LogitsCheck.fault(logits).ifPresent(fault -> {
            throw new NonFiniteLogitsException("the model gave " + fault.kind() + " at position " + (length - 1)
                    + " of prompt " + number + " (" + fault.where() + "); " + LogitsCheck.ADVICE);
        });
    }

    private int width(List<int[]> texts) {
        int longest = texts.stream().mapToInt(text -> text.length).max().orElse(0);
        int multiple = plan.padToMultipleOf();
        return Math.max(longest, Math.min(plan.contextLength(), (longest + multiple - 1) / multiple * multiple));
    }
}
