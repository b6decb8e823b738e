package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.text.jsonl.TaggedWords;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Batches for encoders that give every token a class ({@code Losses.tokenClassification}): the plan's features {@code [batch, T]},
 * labels {@code [batch, T]} INT and their mask {@code [batch, T]} FLOAT.
 *
 * <p>Words are encoded as {@link WordPieces} does. The first piece of a word has its label; its other pieces, the frame and padding have -100 and the mask 0, as in
 * Hugging Face's examples. A sentence longer than the maximum length loses its last words, see {@link #cutTexts}.
 */
public final class TaggingIterator extends EpochIterator {
    private static final long serialVersionUID = 1L;
    private static final int IGNORED = -100;

    private final int[][] ids;
    private final int[][] labels;
    private final int padId;
    private final int cutTexts;

    /**
     * Batches of these sentences.
     *
     * @param examples sentences with class indices of words
     * @param tokenizer encodes words and frames texts
     * @param plan batch size, lengths, order, features; packing is refused
     */
    public TaggingIterator(List<TaggedWords> examples, Tokenizer tokenizer, BatchPlan plan) {
        this(
                examples.stream()
                        .map(example -> Pieces.of(example, tokenizer, plan.maxLength()))
                        .toArray(Pieces[]::new),
                tokenizer.padId(),
                plan);
    }

    private TaggingIterator(Pieces[] pieces, int padId, BatchPlan plan) {
        super(Arrays.stream(pieces).mapToInt(each -> each.ids().length).toArray(), plan);
        FramedTexts.requireUnpacked(plan, "a tagger");
        this.ids = Arrays.stream(pieces).map(Pieces::ids).toArray(int[][]::new);
        this.labels = Arrays.stream(pieces).map(Pieces::labels).toArray(int[][]::new);
        this.cutTexts = (int) Arrays.stream(pieces).filter(Pieces::cut).count();
        this.padId = padId;
    }

    /** A sentence as tokens with labels. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Pieces(int[] ids, int[] labels, boolean cut) {
        static Pieces of(TaggedWords sentence, Tokenizer tokenizer, int maxLength) {
            WordPieces words = WordPieces.of(sentence.words(), tokenizer);
            WordPieces.Window kept = words.window(0, maxLength);
            int[] labels = new int[kept.ids().length];
            Arrays.fill(labels, IGNORED);
            for (int word = 0; word < kept.places().length; word++) {
                if (kept.places()[word] >= 0) {
                    labels[kept.places()[word]] = sentence.labels().get(word);
                }
            }
            return new Pieces(kept.ids(), labels, kept.end() < words.size());
        }
    }

    /** Number of sentences that lost words to the maximum length. */
    public int cutTexts() {
        return cutTexts;
    }

    @Override
    void hash(ContentHash hash) {
        hash.add(padId);
        for (int i = 0; i < ids.length; i++) {
            hash.add(ids[i]);
            hash.add(labels[i]);
        }
    }

    @Override
    MultiDataSet batch(int[] members, int width) {
        int[][] rows = new int[members.length][];
        int[] lengths = new int[members.length];
        int[] wanted = new int[members.length * width];
        float[] mask = new float[wanted.length];
        Arrays.fill(wanted, IGNORED);
        for (int row = 0; row < members.length; row++) {
            rows[row] = ids[members[row]];
            lengths[row] = rows[row].length;
            for (int t = 0; t < lengths[row]; t++) {
                wanted[row * width + t] = labels[members[row]][t];
                mask[row * width + t] = wanted[row * width + t] == IGNORED ? 0 : 1;
            }
        }
        return new MultiDataSet(
                features(rows, lengths, width, padId),
                new INDArray[] {BatchArrays.ints(wanted, members.length, width)},
                null,
                new INDArray[] {BatchArrays.floats(mask, members.length, width)});
    }
}
