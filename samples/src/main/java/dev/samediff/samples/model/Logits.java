package dev.samediff.samples.model;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Finds the output of a model that scores the next token. */
final class Logits {
    private static final String USUAL_NAME = "logits";

    private Logits() {}

    /**
     * Chooses the output.
     *
     * @param outputs the model's outputs for one text of {@code length} tokens
     * @param requested the user's choice
     * @param vocabulary tokens of the tokenizer
     * @throws InvalidInputException if none, or more than one, fits
     */
    static String choose(Map<String, INDArray> outputs, Optional<String> requested, int length, int vocabulary) {
        if (requested.isPresent()) {
            return requested(outputs, requested.get(), length, vocabulary);
        }
        List<String> fitting = outputs.entrySet().stream()
                .filter(output -> scoresEveryToken(output.getValue(), length, vocabulary))
                .map(Map.Entry::getKey)
                .toList();
        if (fitting.contains(USUAL_NAME)) {
            return USUAL_NAME;
        }
        if (fitting.size() == 1) {
            return fitting.get(0);
        }
        throw new InvalidInputException(
                fitting.isEmpty()
                        ? "no output of the model scores the tokenizer's " + vocabulary
                                + " tokens at every position: it has " + describe(outputs)
                                + "; a causal language model and its own tokenizer are needed. If tokens were added to"
                                + " the tokenizer, finetune --resize-vocabulary gives the model as many"
                        : "the outputs " + fitting + " could all be logits; choose one with --logits");
    }

    private static String requested(Map<String, INDArray> outputs, String name, int length, int vocabulary) {
        INDArray output = outputs.get(name);
        if (output == null) {
            throw new InvalidInputException("the model has no output `" + name + "`; it has " + describe(outputs));
        }
        if (!scoresEveryToken(output, length, vocabulary)) {
            throw new InvalidInputException("the output `" + name + "` is " + Arrays.toString(output.shape())
                    + " for one text of " + length + " tokens; expected [1, " + length + ", at least " + vocabulary
                    + "], a score for each token of the tokenizer");
        }
        return name;
    }

    private static boolean scoresEveryToken(INDArray output, int length, int vocabulary) {
        return output.rank() == 3
                && output.dataType().isFPType()
                && output.size(0) == 1
                && output.size(1) == length
                && output.size(2) >= vocabulary;
    }

    private static String describe(Map<String, INDArray> outputs) {
        return outputs.entrySet().stream()
                .map(entry ->
                        entry.getKey() + " " + Arrays.toString(entry.getValue().shape()))
                .collect(Collectors.joining(", "));
    }
}
