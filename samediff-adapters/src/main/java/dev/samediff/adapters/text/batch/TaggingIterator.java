package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
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
 * <p>Words are encoded one by one, with a blank before all but the first where the tokenizer's pieces of the whole text say that it
 * belongs there. The first piece of a word has its label; its other pieces, the frame and padding have -100 and the mask 0, as in
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
            String text = String.join(" ", sentence.words());
            int[] body = tokenizer.encode(text);
            int[] framed = tokenizer.encodeFramed(text);
            int head = Math.max(0, headOf(framed, body));
            int tail = Math.max(0, framed.length - head - body.length);
            int[][] words = words(sentence.words(), body, tokenizer);
            int room = maxLength - head - tail;
            int kept = 0;
            int length = 0;
            while (kept < words.length && length + words[kept].length <= room) {
                length += words[kept++].length;
            }
            if (kept == 0) {
                throw new InvalidInputException("the first word of `"
                        + sentence.words().get(0) + "` does not fit the maximum length " + maxLength + "; raise it");
            }
            int[] ids = new int[head + length + tail];
            int[] labels = new int[ids.length];
            Arrays.fill(labels, IGNORED);
            System.arraycopy(framed, 0, ids, 0, head);
            int at = head;
            for (int i = 0; i < kept; i++) {
                System.arraycopy(words[i], 0, ids, at, words[i].length);
                if (words[i].length > 0) {
                    labels[at] = sentence.labels().get(i);
                }
                at += words[i].length;
            }
            System.arraycopy(framed, framed.length - tail, ids, at, tail);
            return new Pieces(ids, labels, kept < words.length);
        }

        private static int headOf(int[] framed, int[] body) {
            for (int head = 0; head + body.length <= framed.length; head++) {
                if (Arrays.equals(framed, head, head + body.length, body, 0, body.length)) {
                    return head;
                }
            }
            return -1;
        }

        /** The words' tokens, in the way that gives those of the whole text, if one does. */
        private static int[][] words(List<String> words, int[] body, Tokenizer tokenizer) {
            int[][] spaced = new int[words.size()][];
            for (int i = 0; i < spaced.length; i++) {
                spaced[i] = tokenizer.encode(i == 0 ? words.get(0) : " " + words.get(i));
            }
            int[] joined = Arrays.stream(spaced).flatMapToInt(Arrays::stream).toArray();
            return Arrays.equals(joined, body)
                    ? spaced
                    : words.stream().map(tokenizer::encode).toArray(int[][]::new);
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
