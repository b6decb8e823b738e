package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.ScoredText;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Batches for encoders that predict a number for a text: the plan's features {@code [batch, T]} and labels {@code [batch, 1]}
 * FLOAT, as {@code Losses.regression} and DL4J's {@code RegressionEvaluation} take them. Texts are framed and cut as those of {@link
 * ClassificationIterator}.
 */
public final class RegressionIterator extends EpochIterator {
    private static final long serialVersionUID = 1L;

    private final FramedTexts texts;
    private final float[] scores;
    private final int padId;

    /**
     * Batches of these texts.
     *
     * @param examples texts with finite numbers
     * @param tokenizer encodes and frames the texts
     * @param plan batch size, lengths, order, features; packing is refused
     */
    public RegressionIterator(List<ScoredText> examples, Tokenizer tokenizer, BatchPlan plan) {
        this(
                FramedTexts.of(examples.stream().map(ScoredText::text).toList(), tokenizer, plan.maxLength()),
                examples,
                tokenizer.padId(),
                plan);
    }

    private RegressionIterator(FramedTexts texts, List<ScoredText> examples, int padId, BatchPlan plan) {
        super(texts.lengths(), plan);
        FramedTexts.requireUnpacked(plan, "a regression");
        this.texts = texts;
        this.padId = padId;
        this.scores = new float[examples.size()];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) examples.get(i).score();
            if (!Float.isFinite(scores[i])) {
                throw new InvalidInputException(
                        "text " + i + " has the number " + examples.get(i).score() + "; expected a finite one");
            }
        }
    }

    /** Number of texts that were cut to the maximum length. */
    public int cutTexts() {
        return texts.cut();
    }

    @Override
    void hash(ContentHash hash) {
        hash.add(padId);
        for (int[] text : texts.ids()) {
            hash.add(text);
        }
        for (float score : scores) {
            hash.add(Float.floatToIntBits(score));
        }
    }

    @Override
    MultiDataSet batch(int[] members, int width) {
        int[][] rows = new int[members.length][];
        int[] lengths = new int[members.length];
        float[] wanted = new float[members.length];
        for (int row = 0; row < members.length; row++) {
            rows[row] = texts.ids()[members[row]];
            lengths[row] = rows[row].length;
            wanted[row] = scores[members[row]];
        }
        return new MultiDataSet(
                features(rows, lengths, width, padId),
                new INDArray[] {BatchArrays.floats(wanted, members.length, 1)},
                null,
                null);
    }
}
