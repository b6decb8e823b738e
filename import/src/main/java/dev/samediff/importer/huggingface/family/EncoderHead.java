package dev.samediff.importer.huggingface.family;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** What lies on an encoder, by the ending of its name in {@code architectures}. */
enum EncoderHead {
    /** Nothing: the features of tokens. */
    NONE("Model"),
    /** Scores of the vocabulary at every token. */
    MASKED_LM("ForMaskedLM"),
    /** Scores of a text's classes. */
    CLASSIFICATION("ForSequenceClassification"),
    /** Scores of every token's classes. */
    TAGGING("ForTokenClassification"),
    /** Scores of every token to be the first, and the last, of an answer. */
    ANSWERS("ForQuestionAnswering");

    private final String ending;

    EncoderHead(String ending) {
        this.ending = ending;
    }

    /** Returns the architectures of models that have all heads, those of each without a head first. */
    static List<String> architectures(String... models) {
        return Arrays.stream(values())
                .flatMap(head -> Stream.of(models).map(model -> model + head.ending))
                .toList();
    }

    /** Returns the head of one of {@link #architectures}. */
    static EncoderHead of(String architecture) {
        return Arrays.stream(values())
                .filter(head -> architecture.endsWith(head.ending))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(architecture));
    }

    /** Returns a model's path before its modules' names: transformers' model without a head is the root itself. */
    String root(String prefix) {
        return this == NONE ? "" : prefix;
    }
}
