package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Batches for causal language models.
 *
 * <p>With T the longest sequence of the batch minus one, padded on the right as the plan says:
 *
 * <table>
 *   <caption>One MultiDataSet</caption>
 *   <tr><td>features[i]</td><td>the plan's features, {@code [batch, T]} (masks of pairs: {@link AttentionMask}), {@code LONG} unless the plan says otherwise</td></tr>
 *   <tr><td>labels[0]</td><td>{@code [batch, T]} INT: at t the token t + 1; 0 where it does not count</td></tr>
 *   <tr><td>labelsMask[0]</td><td>{@code [batch, T]} FLOAT: 1 where the label counts</td></tr>
 * </table>
 *
 * <p>Epochs: see {@link #reset} and {@link #startEpoch}. A new iterator stands at the beginning of epoch 0; {@code reset}
 * goes to the next epoch, or does nothing if no batch of the present one was taken. Not safe for several threads.
 */
public final class CausalLmIterator extends EpochIterator {
    private static final long serialVersionUID = 1L;

    private final List<TokenSequence> sequences; // a store, or what a copy by serialisation has of it
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
                TokenStore.of(plan.packing().pack(checked(TokenStore.of(sequences), plan), plan.maxLength())),
                padId,
                plan);
    }

    private CausalLmIterator(TokenStore rows, int padId, BatchPlan plan) {
        super(positions(rows), plan);
        this.sequences = rows;
        this.padId = padId;
    }

    private static TokenStore checked(TokenStore sequences, BatchPlan plan) {
        boolean apart = IntStream.range(0, sequences.size()).anyMatch(sequences::hasStarts);
        if (plan.packing() == Packing.ISOLATED || apart) {
            requireApart(plan);
        }
        if (plan.packing() != Packing.NONE && apart) {
            throw new InvalidInputException(
                    "sequences that hold several documents are packed already; give a plan without packing");
        }
        for (int i = 0; i < sequences.size(); i++) {
            checkLength(i, sequences.length(i) - 1, plan);
        }
        return sequences;
    }

    /** Without a mask of pairs documents would see each other; without positions the later ones would be learned where they never stand. */
    private static void requireApart(BatchPlan plan) {
        if (!plan.masksPairs()) {
            throw new InvalidInputException(
                    "documents of a row are kept apart by a mask of every pair of tokens, and this"
                            + " plan "
                            + (plan.features().contains(SequenceFeature.ATTENTION_MASK)
                                    ? "fills attention_mask " + plan.mask()
                                    : "fills no attention_mask")
                            + "; export the model with attention_mask [batch, 1, sequence, sequence] and position_ids"
                            + " [batch, sequence] and give the plan masking(new AttentionMask(4, ...)), or do not pack");
        }
        if (!plan.features().contains(SequenceFeature.POSITION_IDS)) {
            throw new InvalidInputException("documents of a row begin anew at position 0, and this plan fills no"
                    + " position_ids; export the model with that input, or do not pack");
        }
    }

    private static int[] positions(TokenStore rows) {
        int[] lengths = new int[rows.size()];
        Arrays.setAll(lengths, i -> rows.length(i) - 1);
        return lengths;
    }

    @Override
    void hash(ContentHash hash) {
        hash.add(padId);
        for (TokenSequence sequence : sequences) {
            hash.add(sequence.ids());
            hash.add(sequence.labelled());
            if (sequence.starts().length > 1) {
                hash.add(sequence.starts());
            }
        }
    }

    @Override
    MultiDataSet batch(int[] members, int width) {
        int[][] ids = new int[members.length][];
        int[][] starts = new int[members.length][];
        int[] lengths = new int[members.length];
        int[] labels = new int[members.length * width];
        float[] mask = new float[members.length * width];
        for (int row = 0; row < members.length; row++) {
            TokenSequence sequence = sequences.get(members[row]);
            ids[row] = sequence.ids();
            starts[row] = sequence.starts();
            lengths[row] = sequence.length() - 1;
            for (int t = 0; t < lengths[row]; t++) {
                if (sequence.labelled()[t + 1]) {
                    labels[row * width + t] = sequence.ids()[t + 1];
                    mask[row * width + t] = 1;
                }
            }
        }
        return new MultiDataSet(
                causalFeatures(ids, starts, lengths, width, padId),
                new INDArray[] {BatchArrays.ints(labels, members.length, width)},
                null,
                new INDArray[] {BatchArrays.floats(mask, members.length, width)});
    }
}
