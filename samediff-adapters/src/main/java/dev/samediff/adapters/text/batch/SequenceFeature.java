package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** An input of a transformer that a batch of sequences can fill; each is {@code [batch, seq]}. */
public enum SequenceFeature {
    /** Token ids; the padding id behind the end. */
    INPUT_IDS,
    /** 1 where there is a token, 0 where there is padding. */
    ATTENTION_MASK,
    /** 0, 1, 2, ... in every row. */
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
                        + ". Export the model without key/value cache inputs, or fill that placeholder yourself"));
    }

    /** Value at a position of a row. */
    int valueAt(int[] ids, int position, int length, int padId) {
        return switch (this) {
            case INPUT_IDS -> position < length ? ids[position] : padId;
            case ATTENTION_MASK -> position < length ? 1 : 0;
            case POSITION_IDS -> position;
            case TOKEN_TYPE_IDS -> 0;
        };
    }
}
