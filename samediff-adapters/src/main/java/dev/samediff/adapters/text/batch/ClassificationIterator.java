package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Batches for encoders that classify a text: the plan's features {@code [batch, T]} and labels {@code [batch]} INT.
 *
 * <p>Texts are framed as the tokenizer says ({@code [CLS] text [SEP]}); a text longer than the maximum length is cut on
 * the right inside the frame, see {@link #cutTexts}. Epochs are those of {@link CausalLmIterator}. Encoders need {@code
 * attention_mask} among the features: there padding is not harmless.
 */
public final class ClassificationIterator extends EpochIterator {
    private static final long serialVersionUID = 1L;

    private final int[][] ids;
    private final int[] labels;
    private final int padId;
    private final int cutTexts;

    /**
     * Batches of these texts.
     *
     * @param examples texts with class indices
     * @param tokenizer encodes and frames the texts
     * @param plan batch size, lengths, order, features; packing is refused
     */
    public ClassificationIterator(List<LabelledText> examples, Tokenizer tokenizer, BatchPlan plan) {
        this(
                examples.stream()
                        .map(example -> tokenizer.encodeFramed(example.text()))
                        .toArray(int[][]::new),
                examples,
                tokenizer,
                plan);
    }

    private ClassificationIterator(int[][] framed, List<LabelledText> examples, Tokenizer tokenizer, BatchPlan plan) {
        super(
                Arrays.stream(framed)
                        .mapToInt(row -> Math.min(row.length, plan.maxLength()))
                        .toArray(),
                plan);
        if (plan.packing() != Packing.NONE) {
            throw new InvalidInputException(
                    "packing " + plan.packing() + " is for language models; a classifier has" + " one text per row");
        }
        int cut = 0;
        for (int i = 0; i < framed.length; i++) {
            if (framed[i].length > plan.maxLength()) {
                framed[i] = cut(framed[i], tokenizer.encode(examples.get(i).text()), plan.maxLength());
                cut++;
            }
            if (framed[i].length == 0) {
                throw new InvalidInputException("text " + i + " has no tokens; leave out empty texts");
            }
        }
        this.ids = framed;
        this.cutTexts = cut;
        this.padId = tokenizer.padId();
        this.labels = examples.stream().mapToInt(LabelledText::label).toArray();
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

    /** Number of texts that were cut to the maximum length. */
    public int cutTexts() {
        return cutTexts;
    }

    @Override
    MultiDataSet batch(int[] members, int width) {
        int[][] rows = new int[members.length][];
        int[] lengths = new int[members.length];
        int[] classes = new int[members.length];
        for (int row = 0; row < members.length; row++) {
            rows[row] = ids[members[row]];
            lengths[row] = rows[row].length;
            classes[row] = labels[members[row]];
        }
        return new MultiDataSet(
                features(rows, lengths, width, padId),
                new INDArray[] {BatchArrays.ints(classes, members.length)},
                null,
                null);
    }
}
