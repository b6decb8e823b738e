package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Batches for models with an encoder and a decoder ({@code Losses.sequenceToSequence}).
 *
 * <table>
 *   <caption>One MultiDataSet</caption>
 *   <tr><td>features[0 ...]</td><td>the plan's features of the prompts, in the tokenizer's frame, {@code [batch, S]}</td></tr>
 *   <tr><td>last features</td><td>{@code decoder_input_ids [batch, T]} LONG: the response one place to the right, behind the start
 *       token</td></tr>
 *   <tr><td>labels[0]</td><td>{@code [batch, T]} INT: the response and the end token, -100 behind it</td></tr>
 *   <tr><td>labelsMask[0]</td><td>{@code [batch, T]} FLOAT: 1 where there is a label</td></tr>
 * </table>
 *
 * <p>Prompts and responses longer than the maximum length are cut on the right; the response's end token stays.
 */
public final class SequenceToSequenceIterator extends EpochIterator {
    /** Name of the decoder's input in ONNX exports. */
    public static final String DECODER_INPUT = "decoder_input_ids";

    private static final long serialVersionUID = 1L;
    private static final int IGNORED = -100;

    private final FramedTexts sources;
    private final int[][] targets;
    private final int padId;
    private final int startId;

    /**
     * Batches of these examples.
     *
     * @param examples prompts, which the encoder reads, and responses, which the decoder writes
     * @param tokenizer encodes both
     * @param startId token that the decoder begins with, {@code decoder_start_token_id} of the model's configuration: for T5 the
     *     padding
     * @param plan batch size, lengths of both texts, order, features of the encoder; packing is refused
     */
    public SequenceToSequenceIterator(List<TextExample> examples, Tokenizer tokenizer, int startId, BatchPlan plan) {
        this(
                FramedTexts.of(examples.stream().map(TextExample::prompt).toList(), tokenizer, plan.maxLength()),
                examples.stream()
                        .map(example ->
                                ended(tokenizer.encode(example.response()), tokenizer.eosId(), plan.maxLength()))
                        .toArray(int[][]::new),
                tokenizer.padId(),
                startId,
                plan);
    }

    private SequenceToSequenceIterator(FramedTexts sources, int[][] targets, int padId, int startId, BatchPlan plan) {
        super(sources.lengths(), plan);
        FramedTexts.requireUnpacked(plan, "an encoder");
        if (startId < 0) {
            throw new InvalidInputException("the decoder's start token is " + startId
                    + "; expected decoder_start_token_id of the model's configuration, 0 or more");
        }
        this.sources = sources;
        this.targets = targets;
        this.padId = padId;
        this.startId = startId;
    }

    private static int[] ended(int[] body, int eosId, int maxLength) {
        int[] ids = Arrays.copyOf(body, Math.min(body.length + 1, maxLength));
        ids[ids.length - 1] = eosId;
        return ids;
    }

    /**
     * Returns labels one place to the right, behind the start token: what a decoder reads. Labels of -100 become padding.
     *
     * @param labels token ids of one text
     * @param startId token that the decoder begins with
     * @param padId token for padding
     */
    public static int[] shiftRight(int[] labels, int startId, int padId) {
        int[] shifted = new int[labels.length];
        for (int t = 0; t < shifted.length; t++) {
            int before = t == 0 ? startId : labels[t - 1];
            shifted[t] = before == IGNORED ? padId : before;
        }
        return shifted;
    }

    @Override
    public List<String> featureNames() {
        List<String> names = new ArrayList<>(super.featureNames());
        names.add(DECODER_INPUT);
        return names;
    }

    @Override
    void hash(ContentHash hash) {
        hash.add(padId, startId);
        for (int i = 0; i < targets.length; i++) {
            hash.add(sources.ids()[i]);
            hash.add(targets[i]);
        }
    }

    @Override
    MultiDataSet batch(int[] members, int width) {
        int[][] rows = new int[members.length][];
        int[] lengths = new int[members.length];
        int longest = Arrays.stream(members)
                .map(member -> targets[member].length)
                .max()
                .orElse(1);
        int positions = plan().paddedLength(longest);
        int[] labels = new int[members.length * positions];
        long[] inputs = new long[labels.length];
        float[] mask = new float[labels.length];
        Arrays.fill(labels, IGNORED);
        for (int row = 0; row < members.length; row++) {
            int[] target = targets[members[row]];
            rows[row] = sources.ids()[members[row]];
            lengths[row] = rows[row].length;
            System.arraycopy(target, 0, labels, row * positions, target.length);
            Arrays.fill(mask, row * positions, row * positions + target.length, 1);
            int[] padded = Arrays.copyOfRange(labels, row * positions, (row + 1) * positions);
            int[] shifted = shiftRight(padded, startId, padId);
            for (int t = 0; t < positions; t++) {
                inputs[row * positions + t] = shifted[t];
            }
        }
        INDArray[] encoder = features(rows, lengths, width, padId);
        INDArray[] features = Arrays.copyOf(encoder, encoder.length + 1);
        features[encoder.length] = BatchArrays.longs(inputs, members.length, positions);
        return new MultiDataSet(
                features, new INDArray[] {BatchArrays.ints(labels, members.length, positions)}, null, new INDArray[] {
                    BatchArrays.floats(mask, members.length, positions)
                });
    }
}
