package dev.samediff.adapters.task;

/** How the features [batch, tokens, width] of a text become one vector [batch, width]. */
public enum Pooling {
    /** Not at all: every token has its own result. */
    EACH,
    /** Not by the head: the features are [batch, width] already. */
    GIVEN,
    /** The first token's features, such as those of {@code [CLS]}. */
    FIRST,
    /** The mean of the features of all tokens that the attention mask counts. */
    MEAN,
    /** The features of the last token that the attention mask counts, whichever side the padding is on. */
    LAST
}
