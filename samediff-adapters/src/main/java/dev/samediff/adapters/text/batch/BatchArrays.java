package dev.samediff.adapters.text.batch;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Java arrays to ND4J arrays that belong to no workspace. */
public final class BatchArrays {
    private BatchArrays() {}

    /** The rows of one feature, right-padded to {@code width}. */
    public static INDArray feature(
            SequenceFeature feature, DataType type, int[][] ids, int[] lengths, int width, int padId) {
        return feature(feature, type, ids, oneDocument(ids.length), lengths, width, padId);
    }

    /**
     * The rows of one feature of a causal language model, with several documents in a row: those do not see each other where the mask is of
     * pairs, and positions begin anew with each.
     *
     * @param mask what the attention mask is
     * @param starts where documents begin, by row
     * @param lengths tokens that there are, by row
     */
    public static INDArray causal(
            SequenceFeature feature,
            DataType type,
            AttentionMask mask,
            int[][] ids,
            int[][] starts,
            int[] lengths,
            int width,
            int padId) {
        return feature == SequenceFeature.ATTENTION_MASK && mask.isOfPairs()
                ? mask.causal(starts, lengths, width, type)
                : feature(feature, type, ids, starts, lengths, width, padId);
    }

    /** Starts of rows that hold one document each. */
    public static int[][] oneDocument(int rows) {
        int[][] starts = new int[rows][];
        Arrays.fill(starts, TokenSequence.ONE);
        return starts;
    }

    private static INDArray feature(
            SequenceFeature feature, DataType type, int[][] ids, int[][] starts, int[] lengths, int width, int padId) {
        long[] values = new long[ids.length * width];
        for (int row = 0; row < ids.length; row++) {
            for (int position = 0; position < width; position++) {
                values[row * width + position] = feature.valueAt(ids[row], starts[row], position, lengths[row], padId);
            }
        }
        INDArray array = longs(values, ids.length, width);
        return type == DataType.LONG ? array : detached(() -> array.castTo(type));
    }

    public static INDArray longs(long[] values, long... shape) {
        return detached(() -> Nd4j.createFromArray(values).reshape(shape));
    }

    static INDArray ints(int[] values, long... shape) {
        return detached(() -> Nd4j.createFromArray(values).reshape(shape));
    }

    static INDArray floats(float[] values, long... shape) {
        return detached(() -> Nd4j.createFromArray(values).reshape(shape));
    }

    static INDArray floats(float[] values, DataType type, long... shape) {
        return detached(() -> Nd4j.createFromArray(values).reshape(shape).castTo(type));
    }

    private static INDArray detached(java.util.function.Supplier<INDArray> creation) {
        try (MemoryWorkspace none = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            return creation.get();
        }
    }
}
