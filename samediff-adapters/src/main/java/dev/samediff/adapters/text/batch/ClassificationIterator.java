package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Batches for encoders that classify a text: the plan's features {@code [batch, T]} and labels {@code [batch]} INT, or
 * {@code [batch, classes]} FLOAT, see {@link #withOneHotLabels}.
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
    /** Classes of one-hot labels; 0 for indices. */
    private final int classes;

    /**
     * Batches of these texts.
     *
     * @param examples texts with class indices
     * @param tokenizer encodes and frames the texts
     * @param plan batch size, lengths, order, features; packing is refused
     */
    public ClassificationIterator(List<LabelledText> examples, Tokenizer tokenizer, BatchPlan plan) {
        this(
                FramedTexts.of(examples.stream().map(LabelledText::text).toList(), tokenizer, plan.maxLength()),
                examples,
                tokenizer,
                plan);
    }

    private ClassificationIterator(
            FramedTexts texts, List<LabelledText> examples, Tokenizer tokenizer, BatchPlan plan) {
        super(texts.lengths(), plan);
        FramedTexts.requireUnpacked(plan, "a classifier");
        this.ids = texts.ids();
        this.cutTexts = texts.cut();
        this.padId = tokenizer.padId();
        this.labels = examples.stream().mapToInt(LabelledText::label).toArray();
        this.classes = 0;
    }

    private ClassificationIterator(ClassificationIterator other, int classes) {
        super(Arrays.stream(other.ids).mapToInt(row -> row.length).toArray(), other.plan());
        this.ids = other.ids;
        this.labels = other.labels;
        this.padId = other.padId;
        this.cutTexts = other.cutTexts;
        this.classes = classes;
    }

    /** Number of texts that were cut to the maximum length. */
    public int cutTexts() {
        return cutTexts;
    }

    /**
     * Returns a new iterator over the same texts, at the beginning of epoch 0, whose labels are one-hot, {@code [batch,
     * classes]} FLOAT: what {@code SameDiff.evaluate} with DL4J's {@code Evaluation}, and SameDiff's own losses, take. {@code
     * Losses.classification} takes the indices.
     *
     * @param classes number of classes
     * @throws InvalidInputException if a text is of a class beyond
     */
    public ClassificationIterator withOneHotLabels(int classes) {
        for (int i = 0; i < labels.length; i++) {
            if (labels[i] < 0 || labels[i] >= classes) {
                throw new InvalidInputException("text " + i + " is of class " + labels[i] + ", with " + classes
                        + " classes allowed is 0 to " + (classes - 1));
            }
        }
        return new ClassificationIterator(this, classes);
    }

    @Override
    void hash(ContentHash hash) {
        hash.add(padId, classes);
        for (int[] text : ids) {
            hash.add(text);
        }
        hash.add(labels);
    }

    @Override
    MultiDataSet batch(int[] members, int width) {
        int[][] rows = new int[members.length][];
        int[] lengths = new int[members.length];
        int[] indices = new int[members.length];
        for (int row = 0; row < members.length; row++) {
            rows[row] = ids[members[row]];
            lengths[row] = rows[row].length;
            indices[row] = labels[members[row]];
        }
        return new MultiDataSet(
                features(rows, lengths, width, padId),
                new INDArray[] {classes == 0 ? BatchArrays.ints(indices, indices.length) : oneHot(indices)},
                null,
                null);
    }

    private INDArray oneHot(int... indices) {
        float[] values = new float[indices.length * classes];
        for (int row = 0; row < indices.length; row++) {
            values[row * classes + indices[row]] = 1;
        }
        return BatchArrays.floats(values, indices.length, classes);
    }
}
