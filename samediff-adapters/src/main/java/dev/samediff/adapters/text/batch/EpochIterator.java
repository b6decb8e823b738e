package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.DescribedBatches;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.MultiDataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * What all iterators over sequences share: the order of batches, epoch by epoch.
 *
 * <p>A new iterator stands at the beginning of epoch 0. {@link #reset} goes to the beginning of the next epoch, unless
 * nothing of the present one was taken yet; so it does not matter whether a trainer resets before or after each epoch. A
 * fresh iterator over the same sequences with the same plan goes through the same epochs in the same order; {@link
 * #startEpoch} goes to any of them at once.
 */
public abstract class EpochIterator implements MultiDataSetIterator, DescribedBatches {
    private static final long serialVersionUID = 1L;

    private final BatchPlan plan;
    private final int[] lengths;
    private long epoch;
    private int[][] batches;
    private int next;
    private @Nullable MultiDataSetPreProcessor preProcessor;

    /** Lengths are input positions, T. */
    EpochIterator(int[] lengths, BatchPlan plan) {
        this.plan = plan;
        this.lengths = lengths;
        if (lengths.length == 0) {
            throw new InvalidInputException("there is nothing to iterate over: no sequences were given");
        }
        for (int i = 0; i < lengths.length; i++) {
            checkLength(i, lengths[i], plan);
        }
        this.batches = BatchOrder.of(lengths, plan, 0);
        if (batches.length == 0) {
            throw new InvalidInputException("no full batch: " + lengths.length + " sequences, batch size "
                    + plan.batchSize() + ", and incomplete batches are dropped; give a smaller batch size");
        }
    }

    static void checkLength(int sequence, int positions, BatchPlan plan) {
        if (positions > plan.maxLength()) {
            throw new InvalidInputException(
                    "sequence " + sequence + " needs " + positions + " positions, the maximum length is "
                            + plan.maxLength() + "; encode with the same maximum length");
        }
    }

    /**
     * The planned features of these rows, for a model whose tokens see all of a text.
     *
     * @throws InvalidInputException if the plan fills a mask of pairs, which is made for causal language models only
     */
    final INDArray[] features(int[][] ids, int[] lengthOfRow, int width, int padId) {
        if (plan.masksPairs()) {
            throw new InvalidInputException(
                    "the attention mask is " + plan.mask()
                            + ", which is filled for causal language models only; export the model with a mask [batch, sequence]");
        }
        return plan.features().stream()
                .map(feature -> BatchArrays.feature(feature, plan.type(feature), ids, lengthOfRow, width, padId))
                .toArray(INDArray[]::new);
    }

    /** The planned features of these rows, whose documents begin at {@code starts}, for a model whose tokens see those before them. */
    final INDArray[] causalFeatures(int[][] ids, int[][] starts, int[] lengthOfRow, int width, int padId) {
        return plan.features().stream()
                .map(feature -> BatchArrays.causal(
                        feature, plan.type(feature), plan.mask(), ids, starts, lengthOfRow, width, padId))
                .toArray(INDArray[]::new);
    }

    /** The batch of these sequences, padded to {@code width} positions. */
    abstract MultiDataSet batch(int[] members, int width);

    /** Adds everything that batches are made of to a hash: token ids, labels. */
    abstract void hash(ContentHash hash);

    @Override
    public Map<String, String> description() {
        Map<String, String> parts = new TreeMap<>();
        parts.put("batch size", Integer.toString(plan.batchSize()));
        parts.put("maximum length", Integer.toString(plan.maxLength()));
        parts.put("shuffling seed", String.valueOf(plan.seed()));
        parts.put("bucket batches", Integer.toString(plan.bucketBatches()));
        parts.put("dropping of the last batch", Boolean.toString(plan.dropLast()));
        parts.put("padding multiple", Integer.toString(plan.padToMultipleOf()));
        parts.put("packing", plan.packing().toString());
        if (plan.masksPairs()) {
            parts.put("attention mask", plan.mask().toString());
        }
        parts.put(
                "features",
                plan.features().stream()
                        .map(feature -> feature.inputName() + " " + plan.type(feature))
                        .collect(Collectors.joining(", ")));
        parts.put("number of sequences", Integer.toString(lengths.length));
        ContentHash hash = new ContentHash();
        hash(hash);
        parts.put("content (SHA-256 of tokens and labels)", hash.text());
        return parts;
    }

    /** Model inputs that {@code getFeatures(i)} fills, in order: their ONNX names. */
    public List<String> featureNames() {
        return plan.features().stream().map(SequenceFeature::inputName).toList();
    }

    /** The plan the batches follow. */
    public BatchPlan plan() {
        return plan;
    }

    /** Number of sequences (rows) to go through. */
    public int sequences() {
        return lengths.length;
    }

    /** Batches per epoch. */
    public int batchesPerEpoch() {
        return batches.length;
    }

    /** Number of the present epoch, from 0. */
    public long epoch() {
        return epoch;
    }

    /** Share of positions in the present epoch's batches that are padding, in [0, 1). */
    public double paddingShare() {
        long real = 0;
        long all = 0;
        for (int[] members : batches) {
            for (int member : members) {
                real += lengths[member];
            }
            all += (long) width(members) * members.length;
        }
        return 1 - (double) real / all;
    }

    private int width(int[] members) {
        int longest = 0;
        for (int member : members) {
            longest = Math.max(longest, lengths[member]);
        }
        return plan.paddedLength(longest);
    }

    /** Goes to the beginning of this epoch. */
    public void startEpoch(long number) {
        if (number < 0) {
            throw new InvalidInputException("epoch " + number + " does not exist; epochs count from 0");
        }
        epoch = number;
        next = 0;
        batches = BatchOrder.of(lengths, plan, number);
    }

    @Override
    public void reset() {
        if (next > 0) {
            startEpoch(epoch + 1);
        }
    }

    @Override
    public boolean hasNext() {
        return next < batches.length;
    }

    @Override
    public MultiDataSet next() {
        if (!hasNext()) {
            throw new NoSuchElementException("epoch " + epoch + " is over after " + batches.length + " batches");
        }
        int[] members = batches[next++];
        MultiDataSet batch = batch(members, width(members));
        if (preProcessor != null) {
            preProcessor.preProcess(batch);
        }
        return batch;
    }

    /** The next batch; {@code size} must be the planned one. */
    @Override
    public MultiDataSet next(int size) {
        if (size != plan.batchSize()) {
            throw new UnsupportedOperationException(
                    "batches have " + plan.batchSize() + " sequences by plan; " + size + " were asked for");
        }
        return next();
    }

    @Override
    public void setPreProcessor(@Nullable MultiDataSetPreProcessor preProcessor) {
        this.preProcessor = preProcessor;
    }

    @Override
    public @Nullable MultiDataSetPreProcessor getPreProcessor() {
        return preProcessor;
    }

    @Override
    public boolean resetSupported() {
        return true;
    }

    /** False: a batch is made in microseconds, and reading ahead would lose the position for an exact resume. */
    @Override
    public boolean asyncSupported() {
        return false;
    }
}
