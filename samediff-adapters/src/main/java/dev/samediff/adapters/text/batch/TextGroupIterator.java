package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.TextGroup;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Batches for embeddings of texts ({@code Losses.contrastive}, {@code triplet}, {@code cosineSimilarity}). With n items of k texts
 * each, features are {@code [k n, T]}: all first texts, then all second ones. Labels are the scores {@code [n]} FLOAT, if the items
 * have them. The plan's batch size counts items.
 *
 * <p>Texts are framed and cut as those of {@link ClassificationIterator}, epochs are those of {@link CausalLmIterator}.
 */
public final class TextGroupIterator extends EpochIterator {
    private static final long serialVersionUID = 1L;

    private final FramedTexts[] parts;
    private final double[] scores;
    private final int padId;

    /**
     * Batches of these items.
     *
     * @param items texts that are compared; all have the same number of texts, and all or none have scores
     * @param tokenizer encodes and frames the texts
     * @param plan batch size, lengths, order, features; packing is refused
     */
    public TextGroupIterator(List<TextGroup> items, Tokenizer tokenizer, BatchPlan plan) {
        this(parts(items, tokenizer, plan), scores(items), tokenizer.padId(), plan);
    }

    private TextGroupIterator(FramedTexts[] parts, double[] scores, int padId, BatchPlan plan) {
        super(longest(parts), plan);
        this.parts = parts;
        this.scores = scores;
        this.padId = padId;
    }

    private static FramedTexts[] parts(List<TextGroup> items, Tokenizer tokenizer, BatchPlan plan) {
        FramedTexts.requireUnpacked(plan, "an embedding");
        int count = items.isEmpty() ? 2 : items.get(0).texts().size();
        for (int i = 0; i < items.size(); i++) {
            int texts = items.get(i).texts().size();
            if (texts < 2 || texts != count) {
                throw new InvalidInputException("item " + i + " has " + texts + " texts, the first one " + count
                        + "; all need the same number, two or more");
            }
        }
        return IntStream.range(0, count)
                .mapToObj(part -> FramedTexts.of(
                        items.stream().map(item -> item.texts().get(part)).toList(), tokenizer, plan.maxLength()))
                .toArray(FramedTexts[]::new);
    }

    private static double[] scores(List<TextGroup> items) {
        double[] scores = items.stream().mapToDouble(TextGroup::score).toArray();
        for (int i = 0; i < scores.length; i++) {
            if (Double.isNaN(scores[i]) != Double.isNaN(scores[0]) || Double.isInfinite(scores[i])) {
                throw new InvalidInputException("item " + i + " has the score " + scores[i] + ", the first one "
                        + scores[0] + "; give a finite one to all items, or none (NaN) to all");
            }
        }
        return scores;
    }

    private static int[] longest(FramedTexts[] parts) {
        int[] longest = parts[0].lengths();
        for (FramedTexts part : parts) {
            int[] lengths = part.lengths();
            for (int i = 0; i < longest.length; i++) {
                longest[i] = Math.max(longest[i], lengths[i]);
            }
        }
        return longest;
    }

    /** Number of texts that were cut to the maximum length. */
    public int cutTexts() {
        return IntStream.range(0, parts.length).map(i -> parts[i].cut()).sum();
    }

    @Override
    void hash(ContentHash hash) {
        hash.add(padId, parts.length);
        for (FramedTexts part : parts) {
            for (int[] text : part.ids()) {
                hash.add(text);
            }
        }
        for (double score : scores) {
            long bits = Double.doubleToLongBits(score);
            hash.add((int) (bits >> 32), (int) bits);
        }
    }

    @Override
    MultiDataSet batch(int[] members, int width) {
        int rows = parts.length * members.length;
        int[][] ids = new int[rows][];
        int[] lengths = new int[rows];
        float[] wanted = new float[members.length];
        for (int row = 0; row < rows; row++) {
            ids[row] = parts[row / members.length].ids()[members[row % members.length]];
            lengths[row] = ids[row].length;
        }
        for (int i = 0; i < members.length; i++) {
            wanted[i] = (float) scores[members[i]];
        }
        boolean scored = !Double.isNaN(scores[0]);
        return new MultiDataSet(
                features(ids, lengths, width, padId),
                scored ? new INDArray[] {BatchArrays.floats(wanted, members.length)} : new INDArray[0],
                null,
                null);
    }
}
