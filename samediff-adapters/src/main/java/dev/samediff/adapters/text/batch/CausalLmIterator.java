package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Batches for causal language models.
 *
 * <p>With T the longest sequence of the batch minus one, padded on the right as the plan says:
 *
 * <table>
 *   <caption>One MultiDataSet</caption>
 *   <tr><td>features[i]</td><td>the plan's features, {@code [batch, T]}, {@code LONG} unless the plan says otherwise</td></tr>
 *   <tr><td>labels[0]</td><td>{@code [batch, T]} INT: at t the token t + 1; 0 where it does not count</td></tr>
 *   <tr><td>labelsMask[0]</td><td>{@code [batch, T]} FLOAT: 1 where the label counts</td></tr>
 * </table>
 *
 * <p>Epochs: see {@link #reset} and {@link #startEpoch}. A new iterator stands at the beginning of epoch 0; {@code reset}
 * goes to the next epoch, or does nothing if no batch of the present one was taken. Not safe for several threads.
 */
public final class CausalLmIterator extends EpochIterator {
    private static final long serialVersionUID = 1L;

    private final TokenSequence[] sequences;
    private final int padId;

    /**
     * Batches of these sequences.
     *
     * @param sequences what to learn; packed first if the plan says so
     * @param padId token id that fills the rows, such as {@link Tokenizer#padId()}
     * @param plan batch size, lengths, order, features
     * @throws dev.samediff.adapters.InvalidInputException if there are no sequences or one is too long
     */
    public CausalLmIterator(List<TokenSequence> sequences, int padId, BatchPlan plan) {
        this(
                plan.packing().pack(checked(sequences, plan), plan.maxLength()).toArray(TokenSequence[]::new),
                padId,
                plan);
    }

    private CausalLmIterator(TokenSequence[] rows, int padId, BatchPlan plan) {
        super(positions(rows), plan);
        this.sequences = rows;
        this.padId = padId;
    }

    private static List<TokenSequence> checked(List<TokenSequence> sequences, BatchPlan plan) {
        for (int i = 0; i < sequences.size(); i++) {
            checkLength(i, sequences.get(i).length() - 1, plan);
        }
        return sequences;
    }

    private static int[] positions(TokenSequence[] rows) {
        int[] lengths = new int[rows.length];
        for (int i = 0; i < rows.length; i++) {
            lengths[i] = rows[i].length() - 1;
        }
        return lengths;
    }

    @Override
    void hash(ContentHash hash) {
        hash.add(padId);
        for (TokenSequence sequence : sequences) {
            hash.add(sequence.ids());
            hash.add(sequence.labelled());
        }
    }

    @Override
    MultiDataSet batch(int[] members, int width) {
        int[][] ids = new int[members.length][];
        int[] lengths = new int[members.length];
        int[] labels = new int[members.length * width];
        float[] mask = new float[members.length * width];
        for (int row = 0; row < members.length; row++) {
            TokenSequence sequence = sequences[members[row]];
            ids[row] = sequence.ids();
            lengths[row] = sequence.length() - 1;
            for (int t = 0; t < lengths[row]; t++) {
                if (sequence.labelled()[t + 1]) {
                    labels[row * width + t] = sequence.ids()[t + 1];
                    mask[row * width + t] = 1;
                }
            }
        }
        return new MultiDataSet(
                features(ids, lengths, width, padId),
                new INDArray[] {BatchArrays.ints(labels, members.length, width)},
                null,
                new INDArray[] {BatchArrays.floats(mask, members.length, width)});
    }
}
