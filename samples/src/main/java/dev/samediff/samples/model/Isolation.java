package dev.samediff.samples.model;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.text.batch.AttentionMask;
import dev.samediff.adapters.text.batch.Packing;
import dev.samediff.adapters.text.batch.SequenceFeature;
import dev.samediff.importer.ImportedModel;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Whether a model can keep the documents of a row apart, found out by running it. */
public final class Isolation {
    /** Most that scores may change, as a share of the largest. */
    private static final double TOLERANCE = 1e-3;

    private static final String ADVICE = "; export the model with attention_mask [batch, 1, sequence, sequence] and"
            + " position_ids [batch, sequence], or give --pack none, which puts rows of similar length together";

    private final ImportedModel imported;
    private final InputBinding inputs;
    private final String logits;
    private final int longest;
    private final int vocabulary;

    private Isolation(ImportedModel imported, InputBinding inputs, String logits, int longest, int vocabulary) {
        this.imported = imported;
        this.inputs = inputs;
        this.logits = logits;
        this.longest = longest;
        this.vocabulary = vocabulary;
    }

    /**
     * Finds out whether a mask of pairs that has a floating-point type is 1 or 0, or added to the scores.
     *
     * @return the binding with what was found
     * @throws InvalidInputException if the mask does neither
     */
    static InputBinding withMask(
            ImportedModel imported, InputBinding inputs, String logits, int longest, int vocabulary) {
        InputBinding.Input mask = inputs.input(SequenceFeature.ATTENTION_MASK).orElse(null);
        if (mask == null || !inputs.mask().isOfPairs()) {
            return inputs;
        }
        for (boolean added : mask.type().isFPType() ? new boolean[] {false, true} : new boolean[] {false}) {
            InputBinding masked = inputs.masking(new AttentionMask(inputs.mask().rank(), added));
            if (new Isolation(imported, masked, logits, longest, vocabulary).hides() < TOLERANCE) {
                return masked;
            }
        }
        throw new InvalidInputException("the model's input `" + mask.placeholder() + "` is " + inputs.mask()
                + ", and hides no token from others, neither as 1 or 0 nor as what is added to scores; export the model"
                + " with a mask [batch, sequence]");
    }

    /**
     * Refuses a model whose documents of a row would see each other, or stand elsewhere than alone, if a packing needs them apart.
     *
     * @throws InvalidInputException that says what the model lacks
     */
    public static void requireFor(Packing packing, LanguageModel model) {
        if (packing != Packing.ISOLATED) {
            return;
        }
        InputBinding inputs = model.inputs();
        boolean positions = inputs.input(SequenceFeature.POSITION_IDS).isPresent();
        if (!inputs.mask().isOfPairs() || !positions) {
            throw new InvalidInputException("--pack isolated takes a model with a mask of every pair of tokens, and"
                    + " position_ids that begin anew with each example; this one has the inputs "
                    + inputs.inputs().stream()
                            .map(input -> input.placeholder()
                                    + (input.feature() == SequenceFeature.ATTENTION_MASK ? " " + inputs.mask() : ""))
                            .collect(Collectors.joining(", "))
                    + ADVICE);
        }
        Isolation isolation = new Isolation(
                model.imported(),
                inputs,
                model.logits(),
                model.maxLength(),
                model.tokenizer().vocabularySize());
        double difference = isolation.packedFromAlone();
        if (!(difference < TOLERANCE)) {
            throw new InvalidInputException(String.format(
                    Locale.ROOT,
                    "--pack isolated is not possible: beside another example in its row, an example has scores that differ"
                            + " by %.2g of the largest, although mask and position_ids keep them apart%s",
                    difference,
                    ADVICE));
        }
    }

    /** How much the second to last tokens change with the first one, which is hidden from them. */
    private double hides() {
        int length = Math.min(5, longest);
        int[] ids = ids(length, 0);
        int[] other = ids.clone();
        other[0] = (ids[0] + 1 + vocabulary / 2) % vocabulary;
        INDArray one = run(ids, 0, 1);
        INDArray two = run(other, 0, 1);
        return difference(one, 1, two, 1, length - 1);
    }

    /** How much scores of two documents in a row differ from those of each alone. */
    private double packedFromAlone() {
        int first = Math.min(3, longest / 2);
        int second = Math.min(4, longest - first);
        int[] one = ids(first, 1);
        int[] two = ids(second, 11);
        int[] both = Arrays.copyOf(one, first + second);
        System.arraycopy(two, 0, both, first, second);
        INDArray packed = run(both, 0, first);
        return Math.max(
                difference(packed, 0, run(one, 0), 0, first), difference(packed, first, run(two, 0), 0, second));
    }

    private int[] ids(int length, int from) {
        int[] ids = new int[length];
        Arrays.setAll(ids, i -> (from + 7 * i + 3) % vocabulary);
        return ids;
    }

    /** Scores [T, vocabulary] of a row whose documents begin at {@code starts}. */
    private INDArray run(int[] ids, int... starts) {
        long[] padded = new long[inputs.fixedLength().orElse(ids.length)];
        Arrays.setAll(padded, i -> i < ids.length ? ids[i] : 0);
        INDArray row = Nd4j.createFromArray(new long[][] {padded});
        Map<String, INDArray> values = inputs.fill(row, new int[][] {starts}, new int[] {ids.length});
        imported.requireValid(values);
        try (Engine engine = new ReferenceEngine(imported.graph(), "", List.of())) {
            INDArray scores = engine.outputs(values, List.of(logits)).get(logits);
            if (scores == null) {
                throw new IllegalStateException("the engine did not return " + logits);
            }
            return scores.slice(0).dup();
        }
    }

    /** Largest difference of {@code count} rows, by the largest score. */
    private static double difference(INDArray one, int from, INDArray other, int at, int count) {
        double largest = 0;
        double most = 0;
        for (int i = 0; i < count; i++) {
            INDArray row = one.slice(from + i);
            most = Math.max(most, row.sub(other.slice(at + i)).normmaxNumber().doubleValue());
            largest = Math.max(largest, row.normmaxNumber().doubleValue());
        }
        return most / largest;
    }
}
