package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.ExampleSource;
import dev.samediff.adapters.text.jsonl.Learnable;
import dev.samediff.adapters.text.jsonl.MaskedText;
import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.adapters.text.tokenizer.Beginning;
import dev.samediff.adapters.text.tokenizer.Framing;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Turns examples into token sequences: {@code before prompt response eos}, where {@code before} is what the tokenizer's files put in front
 * of a text, such as {@code <s>}. Texts that spell these tokens out, or end with an end token, do not get them twice.
 *
 * <p>A sequence has at most {@code maxLength + 1} tokens: the last one is only ever a label, so the model sees at most
 * {@code maxLength} positions. What is longer:
 *
 * <ul>
 *   <li>A prompt is cut on the left, down to one token: its end is what the response follows. The response stays whole.
 *   <li>If the response does not fit even then, the example is dropped and counted ({@link LongResponses#DROP}), or the
 *       response is cut on the right and loses its end token ({@link LongResponses#CUT}).
 *   <li>A text with learned parts ({@link MaskedText}) is one sequence of its tokens, or several of which each learns other parts, if it is too
 *       long or a part's end is no end token.
 *   <li>Plain text is split into windows that share one token, so that every token is learned exactly once.
 * </ul>
 *
 * @param tokenizer the tokenizer
 * @param maxLength most positions the model sees, at most its context length
 * @param labels which tokens count in the loss
 * @param longResponses what becomes of a response that does not fit
 * @param framing what sequences begin with
 * @param eos whether they end with its end token, which counts in the loss
 */
public record SequenceEncoder(
        Tokenizer tokenizer, int maxLength, Labels labels, LongResponses longResponses, Framing framing, boolean eos) {
    /** Which tokens count in the loss. */
    public enum Labels {
        /** Response and end token (plain text: all tokens). */
        RESPONSE,
        /** Prompt, response and end token. */
        ALL
    }

    /** What becomes of a response that does not fit into the maximum length. */
    public enum LongResponses {
        /** The example is left out, and counted. */
        DROP,
        /** The response is cut on the right; it then has no end token. */
        CUT
    }

    public SequenceEncoder {
        if (maxLength < 2) {
            throw new InvalidInputException("maximum length " + maxLength + " is too small; give at least 2 positions");
        }
        if (framing.headLength() + 2 > maxLength) {
            throw new InvalidInputException("maximum length " + maxLength + " is too small for the "
                    + framing.headLength() + " tokens in front of every text and at least 2 of the text");
        }
        for (Framing.Mark mark : framing.before()) {
            if (mark.id() < 0 || mark.id() >= tokenizer.vocabularySize()) {
                throw new InvalidInputException("the token `" + JsonFiles.excerpt(mark.token()) + "` (id " + mark.id()
                        + ") in front of every text is none of the tokenizer (" + tokenizer.describe() + ")");
            }
        }
    }

    /** Response labels, long responses dropped, in front of a text what the tokenizer's files say, an end token. */
    public static SequenceEncoder of(Tokenizer tokenizer, int maxLength) {
        return new SequenceEncoder(
                tokenizer, maxLength, Labels.RESPONSE, LongResponses.DROP, tokenizer.framing(), true);
    }

    /** The same with other labels. */
    public SequenceEncoder withLabels(Labels other) {
        return new SequenceEncoder(tokenizer, maxLength, other, longResponses, framing, eos);
    }

    /** The same with another treatment of long responses. */
    public SequenceEncoder withLongResponses(LongResponses other) {
        return new SequenceEncoder(tokenizer, maxLength, labels, other, framing, eos);
    }

    /** The same with or without a beginning token, whatever the tokenizer's files say. */
    public SequenceEncoder withBos(boolean other) {
        return withFraming((other ? Beginning.YES : Beginning.NO).of(tokenizer));
    }

    /** The same with something else in front of a text. */
    public SequenceEncoder withFraming(Framing other) {
        return new SequenceEncoder(tokenizer, maxLength, labels, longResponses, other, eos);
    }

    /** The same with or without an end token. */
    public SequenceEncoder withEos(boolean other) {
        return new SequenceEncoder(tokenizer, maxLength, labels, longResponses, framing, other);
    }

    /** Sequences of one example: none if it was dropped, several if it was a long text. */
    public List<TokenSequence> encode(Learnable example) {
        return new Tally().encode(example);
    }

    /** Ids that generation starts from: {@code before prompt}, cut on the left of the prompt to {@code maxLength - 1} tokens. */
    public int[] encodePrompt(String prompt) {
        int[] head = framing.beforeIds();
        int[] body = framing.withoutBefore(tokenizer.encode(prompt));
        int kept = Math.min(body.length, maxLength - 1 - head.length);
        int[] ids = Arrays.copyOf(head, head.length + kept);
        System.arraycopy(body, body.length - kept, ids, head.length, kept);
        return ids;
    }

    /** Encodes all examples; refuses if nothing is left. */
    public EncodedExamples encodeAll(Iterable<? extends Learnable> examples) {
        return encodeAll((ExampleSource) examples::forEach);
    }

    /** Encodes all examples as they are read, so that they may be more than fit into memory; refuses if nothing is left. */
    public EncodedExamples encodeAll(ExampleSource examples) {
        Tally tally = new Tally();
        TokenStore sequences;
        try (TokenStoreBuilder builder = new TokenStoreBuilder()) {
            examples.read(example -> tally.encode(example).forEach(builder::add));
            sequences = builder.store();
        }
        EncodingReport report = tally.report();
        if (sequences.isEmpty()) {
            throw new InvalidInputException("no sequence came of " + report.examples() + " examples: "
                    + report.dropped() + " have responses longer than the maximum length " + maxLength
                    + "; raise the maximum length, or cut long responses");
        }
        return new EncodedExamples(sequences, report);
    }

    /** Encodes and counts. */
    private final class Tally {
        private long examples;
        private long sequences;
        private long tokens;
        private long labelled;
        private int longest;
        private long cutPrompts;
        private long cutResponses;
        private long dropped;
        private long splitTexts;
        private long unknown;

        List<TokenSequence> encode(Learnable example) {
            examples++;
            List<TokenSequence> result =
                    example instanceof MaskedText masked ? parts(masked) : pair((TextExample) example);
            for (TokenSequence sequence : result) {
                count(sequence);
            }
            return result;
        }

        private List<TokenSequence> pair(TextExample example) {
            int[] response = tokenizer.encode(example.response());
            return example.isPlainText() ? text(response) : pair(example.prompt(), response);
        }

        private List<TokenSequence> parts(MaskedText text) {
            if (labels == Labels.ALL) {
                return text(tokenizer.encode(text.text()));
            }
            MaskedTokens.Cut cut = MaskedTokens.of(text, tokenizer, framing)
                    .cut(maxLength + 1, framing, eos ? tokenizer.eosId() : -1, longResponses);
            cutPrompts += cut.cutPrompts();
            cutResponses += cut.cutResponses();
            dropped += cut.dropped();
            return cut.sequences();
        }

        private List<TokenSequence> text(int[] body) {
            int[] ids = join(new int[0], framing.withoutBefore(body));
            List<TokenSequence> windows = framing.virtual() == 0 ? windows(ids) : promptedWindows(ids);
            dropped += windows.isEmpty() ? 1 : 0; // a single token teaches nothing
            splitTexts += windows.size() > 1 ? 1 : 0;
            return windows;
        }

        private List<TokenSequence> windows(int... ids) {
            List<TokenSequence> windows = new ArrayList<>();
            for (int start = 0; start + 1 < ids.length; start += maxLength) {
                TokenSequence window = TokenSequence.allLabelled(
                        Arrays.copyOfRange(ids, start, Math.min(ids.length, start + maxLength + 1)));
                windows.add(start == 0 ? window : window.continuing());
            }
            return windows;
        }

        /** Every window stands behind the virtual tokens, and learns what the one before it has not. */
        private List<TokenSequence> promptedWindows(int... ids) {
            int virtual = framing.virtual();
            List<TokenSequence> windows = new ArrayList<>();
            for (int from = virtual; from < ids.length && ids.length > virtual + 1; ) {
                int seen = windows.isEmpty() ? 0 : 1; // one token of the window before, which the first new one follows
                int to = Math.min(ids.length, from - seen + maxLength + 1 - virtual);
                int[] window = Arrays.copyOf(ids, virtual + to - from + seen);
                System.arraycopy(ids, from - seen, window, virtual, to - from + seen);
                boolean[] flags = new boolean[window.length];
                Arrays.fill(flags, virtual + seen, window.length, true);
                windows.add(new TokenSequence(window, flags));
                from = to;
            }
            return windows;
        }

        private List<TokenSequence> pair(String promptText, int[] encoded) {
            int[] prompt = framing.withoutBefore(tokenizer.encode(promptText));
            int[] response = prompt.length == 0 ? framing.withoutBefore(encoded) : encoded;
            int head = framing.headLength();
            int frame = head + (endIsAdded(response) ? 1 : 0);
            int room = maxLength + 1 - frame - response.length;
            int kept = Math.min(prompt.length, Math.max(room, Math.min(1, prompt.length)));
            int[] ids = join(Arrays.copyOfRange(prompt, prompt.length - kept, prompt.length), response);
            int promptTokens = head + kept;
            if (ids.length > maxLength + 1) {
                if (longResponses == LongResponses.DROP) {
                    dropped++;
                    return List.of();
                }
                cutResponses++;
                ids = Arrays.copyOf(ids, maxLength + 1);
            }
            if (ids.length <= Math.max(1, promptTokens)) { // the tokenizer made nothing of the response
                dropped++;
                return List.of();
            }
            cutPrompts += kept < prompt.length ? 1 : 0;
            boolean[] flags = new boolean[ids.length];
            Arrays.fill(flags, labels == Labels.ALL ? framing.virtual() : promptTokens, ids.length, true);
            return List.of(new TokenSequence(ids, flags));
        }

        private int[] join(int[] prompt, int[] body) {
            int[] before = framing.beforeIds();
            int head = before.length;
            int end = endIsAdded(body) ? 1 : 0;
            int[] ids = Arrays.copyOf(before, head + prompt.length + body.length + end);
            System.arraycopy(prompt, 0, ids, head, prompt.length);
            System.arraycopy(body, 0, ids, head + prompt.length, body.length);
            if (end > 0) {
                ids[ids.length - 1] = tokenizer.eosId();
            }
            return ids;
        }

        private boolean endIsAdded(int... body) {
            return eos && (body.length == 0 || !framing.isEnd(body[body.length - 1]));
        }

        private void count(TokenSequence sequence) {
            sequences++;
            tokens += sequence.length();
            labelled += sequence.labels();
            longest = Math.max(longest, sequence.length());
            if (tokenizer.unknownId().isPresent()) {
                int id = tokenizer.unknownId().getAsInt();
                unknown += Arrays.stream(sequence.ids()).filter(i -> i == id).count();
            }
        }

        EncodingReport report() {
            return new EncodingReport(
                    examples,
                    sequences,
                    tokens,
                    labelled,
                    longest,
                    cutPrompts,
                    cutResponses,
                    dropped,
                    splitTexts,
                    unknown);
        }
    }
}
