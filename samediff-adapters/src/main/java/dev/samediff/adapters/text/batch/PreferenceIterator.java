package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.PreferenceExample;
import dev.samediff.adapters.text.jsonl.TextExample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Batches of pairs of answers ({@code Losses.dpo}, {@code Losses.orpo}): n chosen ones, then n rejected ones, so that one pass
 * through the model serves both. The plan's batch size counts pairs.
 *
 * <table>
 *   <caption>One MultiDataSet</caption>
 *   <tr><td>features[i]</td><td>the plan's features, {@code [2n, T]}</td></tr>
 *   <tr><td>labels[0]</td><td>{@code [2n, T]} INT: at t the token t + 1, -100 where it does not count</td></tr>
 *   <tr><td>labels[1]</td><td>{@code [2n]} FLOAT: log-probabilities by the reference, if there are any</td></tr>
 * </table>
 */
public final class PreferenceIterator extends EpochIterator {
    private static final long serialVersionUID = 1L;
    private static final int IGNORED = -100;

    private final PreferencePair[] pairs;
    private final int padId;
    private final float @Nullable [] reference;

    /**
     * Batches of these pairs.
     *
     * @param pairs pairs of answers
     * @param padId token id that fills the rows
     * @param plan batch size, lengths, order, features; packing is refused
     */
    public PreferenceIterator(List<PreferencePair> pairs, int padId, BatchPlan plan) {
        this(pairs.toArray(new PreferencePair[0]), padId, plan, null);
        FramedTexts.requireUnpacked(plan, "a pair of answers");
    }

    /**
     * Encodes pairs of answers: a pair of which one answer does not fit the maximum length is left out.
     *
     * @param examples the pairs
     * @param encoder encodes prompt and answer; its labels should be those of the response
     * @param plan batch size, lengths, order, features
     * @throws InvalidInputException if nothing is left
     */
    public static PreferenceIterator of(List<PreferenceExample> examples, SequenceEncoder encoder, BatchPlan plan) {
        List<PreferencePair> pairs = new ArrayList<>();
        for (PreferenceExample example : examples) {
            List<TokenSequence> chosen = encoder.encode(new TextExample(example.prompt(), example.chosen()));
            List<TokenSequence> rejected = encoder.encode(new TextExample(example.prompt(), example.rejected()));
            if (chosen.size() == 1 && rejected.size() == 1) {
                pairs.add(new PreferencePair(chosen.get(0), rejected.get(0)));
            }
        }
        if (pairs.isEmpty()) {
            throw new InvalidInputException("no pair came of " + examples.size()
                    + " examples: their answers are longer than the maximum length " + encoder.maxLength()
                    + "; raise it, or cut long responses");
        }
        return new PreferenceIterator(pairs, encoder.tokenizer().padId(), plan);
    }

    private PreferenceIterator(PreferencePair[] pairs, int padId, BatchPlan plan, float @Nullable [] reference) {
        super(
                Arrays.stream(pairs)
                        .mapToInt(pair ->
                                Math.max(pair.chosen().length(), pair.rejected().length()) - 1)
                        .toArray(),
                plan);
        this.pairs = pairs;
        this.padId = padId;
        this.reference = reference;
    }

    /** Returns a new iterator over the same pairs in their given order. */
    public PreferenceIterator inOrder() {
        BatchPlan plan = plan();
        return new PreferenceIterator(
                pairs,
                padId,
                new BatchPlan(
                        plan.batchSize(),
                        plan.maxLength(),
                        null,
                        0,
                        false,
                        plan.padToMultipleOf(),
                        plan.packing(),
                        plan.features(),
                        plan.types(),
                        plan.mask()),
                reference);
    }

    /**
     * Returns a new iterator over the same pairs, at the beginning of epoch 0, with log-probabilities by a reference.
     *
     * @param chosen those of the chosen answers, one for each pair in their given order
     * @param rejected those of the rejected ones
     * @throws InvalidInputException if there are not as many as pairs, or one is not finite
     */
    public PreferenceIterator withReference(INDArray chosen, INDArray rejected) {
        float[] both = new float[2 * pairs.length];
        if (chosen.length() != pairs.length || rejected.length() != pairs.length) {
            throw new InvalidInputException("there are " + chosen.length() + " and " + rejected.length()
                    + " log-probabilities for " + pairs.length + " pairs; give one for each answer");
        }
        for (int i = 0; i < both.length; i++) {
            both[i] = (i < pairs.length ? chosen : rejected).getFloat(i % pairs.length);
            if (!Float.isFinite(both[i])) {
                throw new InvalidInputException("the reference's log-probability of pair " + i % pairs.length + " is "
                        + both[i] + "; expected a finite number: the model, or its precision, does not fit the data");
            }
        }
        return new PreferenceIterator(pairs, padId, plan(), both);
    }

    @Override
    void hash(ContentHash hash) {
        hash.add(padId);
        for (PreferencePair pair : pairs) {
            for (TokenSequence answer : List.of(pair.chosen(), pair.rejected())) {
                hash.add(answer.ids());
                hash.add(answer.labelled());
            }
        }
    }

    @Override
    MultiDataSet batch(int[] members, int width) {
        int rows = 2 * members.length;
        int[][] ids = new int[rows][];
        int[] lengths = new int[rows];
        int[] labels = new int[rows * width];
        float[] known = new float[rows];
        Arrays.fill(labels, IGNORED);
        float[] given = reference;
        for (int row = 0; row < rows; row++) {
            int member = members[row % members.length];
            boolean first = row < members.length;
            TokenSequence answer = first ? pairs[member].chosen() : pairs[member].rejected();
            ids[row] = answer.ids();
            lengths[row] = answer.length() - 1;
            for (int t = 0; t < lengths[row]; t++) {
                if (answer.labelled()[t + 1]) {
                    labels[row * width + t] = answer.ids()[t + 1];
                }
            }
            known[row] = given == null ? 0 : given[first ? member : pairs.length + member];
        }
        INDArray tokens = BatchArrays.ints(labels, rows, width);
        return new MultiDataSet(
                causalFeatures(ids, BatchArrays.oneDocument(rows), lengths, width, padId),
                given == null ? new INDArray[] {tokens} : new INDArray[] {tokens, BatchArrays.floats(known, rows)},
                null,
                null);
    }
}
