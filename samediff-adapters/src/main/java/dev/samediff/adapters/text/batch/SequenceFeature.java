package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** An input of a transformer that a batch of sequences can fill; each is {@code [batch, seq]}, but for masks of pairs ({@link AttentionMask}). */
public enum SequenceFeature {
    /** Token ids; the padding id behind the end. */
    INPUT_IDS,
    /** 1 where there is a token, 0 where there is padding. */
    ATTENTION_MASK,
    /** 0, 1, 2, ... in every row, or in every document of it ({@link Packing#ISOLATED}). */
    POSITION_IDS,
    /** 0 everywhere: one segment. */
    TOKEN_TYPE_IDS;

    /** Name as in ONNX exports: {@code input_ids}, {@code attention_mask}, ... */
    public String inputName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The feature that an input of this name takes; an {@code InvalidInputException} lists what exists. */
    public static SequenceFeature named(String inputName) {
        return Arrays.stream(values())
                .filter(feature -> feature.inputName().equals(inputName))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("no batch can fill the model input `" + inputName
                        + "`; known inputs are "
                        + Arrays.stream(values())
                                .map(SequenceFeature::inputName)
                                .collect(Collectors.joining(", "))
                        + ". " + advice(inputName)));
    }

    private static String advice(String inputName) {
        return inputName.toLowerCase(Locale.ROOT).contains("coder")
                ? "The model has an encoder and a decoder: train it by SequenceToSequenceIterator, or finetune --task seq2seq"
                : "Export the model without key/value cache inputs, or fill that placeholder yourself";
    }

    /**
     * Returns the feature that an input takes, by its name, whatever its case: {@code input_ids}, {@code segment_ids}, ...
     *
     * @param input the input's name
     * @param single whether the model has no other: then it takes the token ids, whatever its name
     * @throws InvalidInputException if no batch of texts can fill it; the message lists what exists
     */
    public static SequenceFeature ofInput(String input, boolean single) {
        String lower = input.toLowerCase(Locale.ROOT);
        Optional<SequenceFeature> exact = Arrays.stream(values())
                .filter(feature -> feature.inputName().equals(lower))
                .findFirst();
        if (exact.isPresent()) {
            return exact.get();
        }
        if (single) {
            return INPUT_IDS;
        }
        if (lower.contains("past") || lower.contains("cache")) {
            throw new InvalidInputException("the model takes a key/value cache (`" + input
                    + "`), which training does not have; export it without one (Optimum: --no-post-process and"
                    + " --task text-generation, not text-generation-with-past)");
        }
        return lower.contains("segment") ? TOKEN_TYPE_IDS : named(input);
    }

    /** Value at a position of a row, whose documents begin at {@code starts}. */
    int valueAt(int[] ids, int[] starts, int position, int length, int padId) {
        return switch (this) {
            case INPUT_IDS -> position < length ? ids[position] : padId;
            case ATTENTION_MASK -> position < length ? 1 : 0;
            case POSITION_IDS -> position < length ? position - AttentionMask.begin(starts, position) : position;
            case TOKEN_TYPE_IDS -> 0;
        };
    }
}
