package dev.samediff.adapters.text.batch;

/**
 * What encoding a set of examples came to.
 *
 * @param examples examples given
 * @param sequences sequences made of them
 * @param tokens tokens in the sequences
 * @param labelledTokens tokens that count in the loss
 * @param longest tokens of the longest sequence
 * @param cutPrompts prompts that lost tokens on the left
 * @param cutResponses responses that lost tokens on the right
 * @param dropped examples left out because the response does not fit
 * @param splitTexts plain texts that became several sequences
 * @param unknownTokens tokens the vocabulary could not express
 */
public record EncodingReport(
        long examples,
        long sequences,
        long tokens,
        long labelledTokens,
        int longest,
        long cutPrompts,
        long cutResponses,
        long dropped,
        long splitTexts,
        long unknownTokens) {
    /** One line for logs; only what happened is mentioned. */
    public String summary() {
        return examples + " examples -> " + sequences + " sequences, " + tokens + " tokens, " + labelledTokens
                + " labelled, longest " + longest
                + part(cutPrompts, "prompts cut on the left")
                + part(cutResponses, "responses cut on the right")
                + part(dropped, "examples dropped (response too long)")
                + part(splitTexts, "texts split")
                + part(unknownTokens, "unknown tokens");
    }

    private static String part(long count, String what) {
        return count == 0 ? "" : "; " + count + " " + what;
    }
}
