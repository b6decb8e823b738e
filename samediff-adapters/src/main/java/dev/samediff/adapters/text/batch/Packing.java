package dev.samediff.adapters.text.batch;

import java.util.List;

/**
 * Whether several sequences share a row, which leaves (almost) no padding.
 *
 * <p>Sequences in one row see each other, but for {@link #ISOLATED}: causal attention lets the later ones look at the earlier ones, and positions run
 * on. For plain text that is customary and does no harm; for prompts and responses it changes what is learned, and {@link
 * #NONE} with length buckets is the better choice. The loss stays exact: the first token of a sequence is never learned
 * from the sequence before it, so the same tokens count as without packing. The windows of a long text that follow each
 * other are put together again as they were, without the token that they share.
 */
public enum Packing {
    /** One sequence per row. */
    NONE,
    /** All sequences in one stream, cut into rows of full length; rows share one token, so no label is lost. */
    STREAM,
    /** Whole sequences, longest first, each into the fullest row that has room for it. */
    BEST_FIT,
    /**
     * As {@link #BEST_FIT}, and sequences of a row do not see each other: the attention mask is block-diagonal, positions begin anew with each. The
     * loss of a batch is that of its sequences alone. Takes a model with a mask of pairs ({@link AttentionMask}) and positions as inputs.
     */
    ISOLATED;

    /**
     * Packs in a way that depends only on the sequences; rows have at most {@code maxLength + 1} tokens. Tokens of many sequences lie outside of the
     * Java heap ({@link TokenStore}).
     */
    public List<TokenSequence> pack(List<TokenSequence> sequences, int maxLength) {
        TokenStore store = TokenStore.of(sequences);
        return this == NONE ? store : PackedRows.of(store, this, maxLength);
    }
}
