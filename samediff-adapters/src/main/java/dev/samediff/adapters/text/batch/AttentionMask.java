package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import java.io.Serializable;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the input {@code attention_mask} of a model takes: a number for every token, or one for every pair of tokens, which alone can keep
 * documents of a row apart ({@link Packing#ISOLATED}).
 *
 * <pre>
 * rank 2  [batch, T]        1 where there is a token
 * rank 3  [batch, T, T]     [b, i, j]: whether token i looks at token j, of the same document and not behind i
 * rank 4  [batch, 1, T, T]  the same, for all heads
 * </pre>
 *
 * Padding looks at itself, so that no row of scores is without one.
 *
 * @param rank 2, 3 or 4
 * @param added whether pairs are added to the scores, 0 or a large negative number, instead of 1 or 0
 */
public record AttentionMask(int rank, boolean added) implements Serializable {
    /** One number for every token. */
    public static final AttentionMask TOKENS = new AttentionMask(2, false);

    private static final double BLOCKED = -1e9;
    private static final double BLOCKED_HALF = -6e4;

    public AttentionMask {
        if (rank < 2 || rank > 4 || (added && rank == 2)) {
            throw new InvalidInputException("an attention mask of " + rank + " dimensions" + (added ? ", added," : "")
                    + " is not possible; expected 2, [batch, T], or 3 or 4, [batch, T, T] or [batch, 1, T, T]");
        }
    }

    /** Whether there is a number for every pair of tokens. */
    public boolean isOfPairs() {
        return rank > 2;
    }

    /**
     * The mask of pairs of causal attention, {@code [rows, (1,) width, width]}.
     *
     * @param starts where documents begin, by row
     * @param lengths tokens that there are, by row
     * @param type its type
     */
    INDArray causal(int[][] starts, int[] lengths, int width, DataType type) {
        float[] pairs = new float[Math.multiplyExact(lengths.length, Math.multiplyExact(width, width))];
        float no = added ? (float) (type == DataType.HALF ? BLOCKED_HALF : BLOCKED) : 0;
        Arrays.fill(pairs, no);
        for (int row = 0; row < lengths.length; row++) {
            for (int i = 0; i < width; i++) {
                int from = i < lengths[row] ? begin(starts[row], i) : i;
                int first = (row * width + i) * width;
                Arrays.fill(pairs, first + from, first + i + 1, added ? 0 : 1);
            }
        }
        long[] shape =
                rank == 3 ? new long[] {lengths.length, width, width} : new long[] {lengths.length, 1, width, width};
        return BatchArrays.floats(pairs, type, shape);
    }

    /** Where the document of a position begins. */
    static int begin(int[] starts, int position) {
        int index = Arrays.binarySearch(starts, position);
        return starts[index >= 0 ? index : -index - 2];
    }

    @Override
    public String toString() {
        return rank == 2
                ? "[batch, T]"
                : (rank == 3 ? "[batch, T, T]" : "[batch, 1, T, T]") + (added ? ", added" : ", 1 or 0");
    }
}
