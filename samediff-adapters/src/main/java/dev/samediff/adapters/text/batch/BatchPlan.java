package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import java.io.Serializable;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * How sequences become batches.
 *
 * <p>The order of an epoch depends on the seed, the epoch's number and the lengths of the sequences, and on nothing else.
 *
 * @param batchSize sequences per batch
 * @param maxLength most input positions, at most the model's context length; longer sequences are refused
 * @param seed seed of the shuffling; null keeps the given order
 * @param bucketBatches length buckets: within this many batches of the shuffled order the sequences are sorted by length,
 *     then the batches are shuffled, so that sequences of a batch are about equally long; 0 or 1 for none
 * @param dropLast whether a last batch with fewer sequences is left out
 * @param padToMultipleOf the padded length is rounded up to a multiple of this (but never beyond {@code maxLength}), so
 *     that there are fewer different shapes; 1 for none
 * @param packing whether several sequences share a row
 * @param features inputs to fill, in this order
 * @param types data type by feature; {@code LONG}, as ONNX has it, for those not named
 * @param mask what the attention mask is, where it is among the features
 */
public record BatchPlan(
        int batchSize,
        int maxLength,
        @Nullable Long seed,
        int bucketBatches,
        boolean dropLast,
        int padToMultipleOf,
        Packing packing,
        List<SequenceFeature> features,
        Map<SequenceFeature, DataType> types,
        AttentionMask mask)
        implements Serializable {
    public BatchPlan {
        if (batchSize < 1 || maxLength < 1 || padToMultipleOf < 1 || bucketBatches < 0) {
            throw new InvalidInputException("batch size " + batchSize + ", maximum length " + maxLength
                    + " and padding multiple " + padToMultipleOf + " must be at least 1, bucket batches "
                    + bucketBatches
                    + " at least 0");
        }
        features = List.copyOf(features);
        if (features.isEmpty() || features.stream().distinct().count() != features.size()) {
            throw new InvalidInputException("features " + features + " must be at least one, each once");
        }
        types = Map.copyOf(types);
    }

    /** A plan whose attention mask is of tokens. */
    public BatchPlan(
            int batchSize,
            int maxLength,
            @Nullable Long seed,
            int bucketBatches,
            boolean dropLast,
            int padToMultipleOf,
            Packing packing,
            List<SequenceFeature> features,
            Map<SequenceFeature, DataType> types) {
        this(
                batchSize,
                maxLength,
                seed,
                bucketBatches,
                dropLast,
                padToMultipleOf,
                packing,
                features,
                types,
                AttentionMask.TOKENS);
    }

    /** Given order, no buckets, no packing, {@code input_ids} only, as {@code LONG}. */
    public static BatchPlan of(int batchSize, int maxLength) {
        return new BatchPlan(
                batchSize, maxLength, null, 0, false, 1, Packing.NONE, List.of(SequenceFeature.INPUT_IDS), Map.of());
    }

    /** Shuffled by this seed, differently in each epoch. */
    public BatchPlan shuffled(long newSeed) {
        return new BatchPlan(
                batchSize,
                maxLength,
                newSeed,
                bucketBatches,
                dropLast,
                padToMultipleOf,
                packing,
                features,
                types,
                mask);
    }

    /** With length buckets over this many batches; 50 is a good number. */
    public BatchPlan bucketed(int batches) {
        return new BatchPlan(
                batchSize, maxLength, seed, batches, dropLast, padToMultipleOf, packing, features, types, mask);
    }

    /** Without a last batch that is not full. */
    public BatchPlan droppingLast() {
        return new BatchPlan(
                batchSize, maxLength, seed, bucketBatches, true, padToMultipleOf, packing, features, types, mask);
    }

    /** With lengths rounded up to a multiple. */
    public BatchPlan paddedToMultipleOf(int multiple) {
        return new BatchPlan(
                batchSize, maxLength, seed, bucketBatches, dropLast, multiple, packing, features, types, mask);
    }

    /** With several sequences per row; read {@link Packing} first. */
    public BatchPlan packed(Packing newPacking) {
        return new BatchPlan(
                batchSize,
                maxLength,
                seed,
                bucketBatches,
                dropLast,
                padToMultipleOf,
                newPacking,
                features,
                types,
                mask);
    }

    /** Filling these model inputs, in this order, by their ONNX names. */
    public BatchPlan filling(List<String> inputNames) {
        List<SequenceFeature> named =
                inputNames.stream().map(SequenceFeature::named).toList();
        return new BatchPlan(
                batchSize, maxLength, seed, bucketBatches, dropLast, padToMultipleOf, packing, named, types, mask);
    }

    /** With another data type of one feature. */
    public BatchPlan typed(SequenceFeature feature, DataType type) {
        Map<SequenceFeature, DataType> more = new EnumMap<>(SequenceFeature.class);
        more.putAll(types);
        more.put(feature, type);
        return new BatchPlan(
                batchSize, maxLength, seed, bucketBatches, dropLast, padToMultipleOf, packing, features, more, mask);
    }

    /** With an attention mask of this kind; see {@link AttentionMask}. */
    public BatchPlan masking(AttentionMask other) {
        return new BatchPlan(
                batchSize, maxLength, seed, bucketBatches, dropLast, padToMultipleOf, packing, features, types, other);
    }

    /** Whether the plan fills a mask of pairs of tokens. */
    boolean masksPairs() {
        return mask.isOfPairs() && features.contains(SequenceFeature.ATTENTION_MASK);
    }

    /** Data type of a feature. */
    public DataType type(SequenceFeature feature) {
        return types.getOrDefault(feature, DataType.LONG);
    }

    /** Length that sequences of at most {@code longest} positions are padded to. */
    int paddedLength(int longest) {
        long rounded = ((long) longest + padToMultipleOf - 1) / padToMultipleOf * padToMultipleOf;
        return (int) Math.max(longest, Math.min(rounded, maxLength));
    }
}
