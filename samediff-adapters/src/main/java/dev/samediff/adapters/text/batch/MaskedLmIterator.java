package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * Batches for encoders that guess hidden tokens ({@code Losses.maskedLm}), as BERT's pretraining has them: of each text a share of the
 * tokens, at least one, is chosen; 80 % of those become the mask, 10 % any token, 10 % stay as they are. The plan's features {@code
 * [batch, T]}, labels {@code [batch, T]} INT and their mask {@code [batch, T]} FLOAT.
 *
 * <p>The frame ({@code [CLS]}, {@code [SEP]}) is never hidden. With a shuffled plan other tokens are hidden in every epoch, by its seed;
 * with the given order always the same ones, so that evaluations can be compared.
 */
public final class MaskedLmIterator extends EpochIterator {
    private static final long serialVersionUID = 1L;
    private static final double SHARE = 0.15;
    private static final double MASKED = 0.8;
    private static final double REPLACED = 0.9;
    private static final int IGNORED = -100;

    private final FramedTexts texts;
    private final FramedText.Frame[] frames;
    private final int maskId;
    private final int padId;
    private final int vocabulary;

    /**
     * Batches of these texts, of which 15 % of the tokens are hidden.
     *
     * @param texts texts with at least one token
     * @param tokenizer encodes and frames the texts
     * @param maskId the token that hides others, such as {@code [MASK]}
     * @param plan batch size, lengths, order, features; packing is refused
     */
    public MaskedLmIterator(List<String> texts, Tokenizer tokenizer, int maskId, BatchPlan plan) {
        this(
                FramedTexts.of(texts, tokenizer, plan.maxLength()),
                texts.stream()
                        .map(text -> FramedText.Frame.of(tokenizer.encodeFramed(text), tokenizer.encode(text)))
                        .toArray(FramedText.Frame[]::new),
                tokenizer,
                maskId,
                plan);
    }

    private MaskedLmIterator(
            FramedTexts texts, FramedText.Frame[] frames, Tokenizer tokenizer, int maskId, BatchPlan plan) {
        super(texts.lengths(), plan);
        FramedTexts.requireUnpacked(plan, "a masked language model");
        if (maskId < 0 || maskId >= tokenizer.vocabularySize()) {
            throw new InvalidInputException("the mask is the token " + maskId
                    + "; expected one of the tokenizer's, 0 to " + (tokenizer.vocabularySize() - 1));
        }
        this.texts = texts;
        this.frames = frames;
        this.maskId = maskId;
        this.padId = tokenizer.padId();
        this.vocabulary = tokenizer.vocabularySize();
        for (int i = 0; i < frames.length; i++) {
            if (texts.ids()[i].length <= frames[i].head() + frames[i].tail()) {
                throw new InvalidInputException(
                        "text " + i + " has no tokens inside of the tokenizer's frame; leave out empty texts");
            }
        }
    }

    /** Number of texts that were cut to the maximum length. */
    public int cutTexts() {
        return texts.cut();
    }

    @Override
    void hash(ContentHash hash) {
        hash.add(padId, maskId);
        for (int[] text : texts.ids()) {
            hash.add(text);
        }
    }

    @Override
    MultiDataSet batch(int[] members, int width) {
        int[][] rows = new int[members.length][];
        int[] lengths = new int[members.length];
        int[] labels = new int[members.length * width];
        float[] mask = new float[labels.length];
        Arrays.fill(labels, IGNORED);
        for (int row = 0; row < members.length; row++) {
            int[] text = texts.ids()[members[row]];
            rows[row] = text.clone();
            lengths[row] = text.length;
            Random random = random(members[row]);
            for (int place : chosen(members[row], random)) {
                labels[row * width + place] = text[place];
                mask[row * width + place] = 1;
                rows[row][place] = hidden(text[place], random);
            }
        }
        return new MultiDataSet(
                features(rows, lengths, width, padId),
                new INDArray[] {BatchArrays.ints(labels, members.length, width)},
                null,
                new INDArray[] {BatchArrays.floats(mask, members.length, width)});
    }

    /** Random numbers of a text; those of every epoch are others only where the epochs themselves are. */
    private Random random(int member) {
        Long seed = plan().seed();
        long stream = seed == null ? 0 : BatchOrder.mix(seed, epoch());
        return new Random(BatchOrder.mix(stream, member));
    }

    /** Places of a text whose tokens are to be guessed: the first of a random order. */
    private int[] chosen(int member, Random random) {
        int first = frames[member].head();
        int count = texts.ids()[member].length - first - frames[member].tail();
        int[] places = IntStream.range(first, first + count).toArray();
        int wanted = (int) Math.max(1, Math.round(SHARE * count));
        for (int i = 0; i < wanted; i++) {
            int other = i + random.nextInt(count - i);
            int place = places[i];
            places[i] = places[other];
            places[other] = place;
        }
        return Arrays.copyOf(places, wanted);
    }

    private int hidden(int token, Random random) {
        double kind = random.nextDouble();
        if (kind < MASKED) {
            return maskId;
        }
        return kind < REPLACED ? random.nextInt(vocabulary) : token;
    }
}
