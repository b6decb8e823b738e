package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.text.chat.Span;
import dev.samediff.adapters.text.jsonl.MaskedText;
import dev.samediff.adapters.text.tokenizer.Framing;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The tokens of a text of which parts are learned: the tokens of the whole text, as a tokenizer makes them, and where the learned parts
 * are among them. A token that reaches over a border counts as learned, as in Hugging Face's {@code char_to_token}.
 */
final class MaskedTokens {
    private final int[] ids;
    private final int head;
    private final List<Range> learned;

    private MaskedTokens(int[] ids, int head, List<Range> learned) {
        this.ids = ids;
        this.head = head;
        this.learned = learned;
    }

    /** Tokens from one to the one behind the last. */
    private record Range(int from, int to) {}

    /** What becomes of a text. */
    record Cut(List<TokenSequence> sequences, int cutPrompts, int cutResponses, int dropped) {}

    static MaskedTokens of(MaskedText text, Tokenizer tokenizer, Framing framing) {
        int[] body = tokenizer.encode(text.text());
        int[] ids = framing.begin(body);
        int added = ids.length - body.length;
        List<Range> ranges = new ArrayList<>();
        for (Span span : text.learned()) {
            int from = common(body, tokenizer.encode(text.text().substring(0, span.from())));
            int[] through = tokenizer.encode(text.text().substring(0, span.to()));
            int same = common(body, through);
            int to = same == through.length ? same : Math.min(body.length, same + 1);
            if (to + added > Math.max(1, from + added)) { // the first token is learned from nothing
                ranges.add(new Range(from + added, to + added));
            }
        }
        return new MaskedTokens(ids, framing.headLength(), ranges);
    }

    private static int common(int[] one, int[] other) {
        int mismatch = Arrays.mismatch(one, other);
        return mismatch < 0 ? one.length : mismatch;
    }

    /**
     * The sequences: one, if it fits and the end of every part tells that the model is to stop there; otherwise several, of which each learns
     * other parts and sees as much before them as fits.
     *
     * @param longest most tokens of a sequence
     * @param end the token that ends a part whose last token is no end, or -1 to add none
     */
    Cut cut(int longest, Framing framing, int end, SequenceEncoder.LongResponses longResponses) {
        List<TokenSequence> sequences = new ArrayList<>();
        int cutPrompts = 0;
        int cutResponses = 0;
        int dropped = learned.isEmpty() ? 1 : 0;
        boolean apart = end >= 0
                && learned.stream()
                        .limit(Math.max(0, learned.size() - 1))
                        .anyMatch(part -> !framing.isEnd(ids[part.to() - 1]));
        for (int first = 0; first < learned.size(); ) {
            int last = first;
            while (!apart
                    && last + 1 < learned.size()
                    && window(last + 1, longest, framing, end).start == head) { // nothing is cut off before the first
                last++;
            }
            if (fits(first, last, longest, framing, end)) {
                Window window = window(last, longest, framing, end);
                cutPrompts += window.start > head ? 1 : 0;
                sequences.add(sequence(window, first, last));
            } else if (longResponses == SequenceEncoder.LongResponses.CUT) {
                cutResponses++;
                int start = Math.max(head, learned.get(first).from() - 1);
                int to = Math.min(ids.length, start + longest - head);
                sequences.add(sequence(new Window(start, to, -1), first, first));
            } else {
                dropped++;
            }
            first = last + 1;
        }
        return new Cut(sequences, cutPrompts, cutResponses, dropped);
    }

    /** Tokens that a sequence has behind the head, and what it ends with; -1 for nothing. */
    private record Window(int start, int to, int end) {}

    private Window window(int last, int longest, Framing framing, int end) {
        int to = learned.get(last).to();
        int added = end >= 0 && !framing.isEnd(ids[to - 1]) ? 1 : 0;
        return new Window(Math.max(head, to + added - (longest - head)), to, added > 0 ? end : -1);
    }

    /** Whether a sequence that ends with one part has room for another from its beginning, and for a token before that. */
    private boolean fits(int first, int last, int longest, Framing framing, int end) {
        int start = window(last, longest, framing, end).start;
        int from = learned.get(first).from();
        return start < from || (start == from && start == head);
    }

    private TokenSequence sequence(Window window, int first, int last) {
        int count = head + window.to - window.start;
        int[] tokens = Arrays.copyOf(ids, count + (window.end < 0 ? 0 : 1));
        System.arraycopy(ids, window.start, tokens, head, window.to - window.start);
        boolean[] flags = new boolean[tokens.length];
        for (Range part : learned.subList(first, last + 1)) {
            Arrays.fill(
                    flags,
                    head + Math.max(0, part.from() - window.start),
                    head + Math.min(window.to, part.to()) - window.start,
                    true);
        }
        if (window.end >= 0) {
            tokens[count] = window.end;
            flags[count] = true;
        }
        return new TokenSequence(tokens, flags);
    }
}
