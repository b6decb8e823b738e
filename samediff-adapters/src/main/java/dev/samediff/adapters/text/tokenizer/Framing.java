package dev.samediff.adapters.text.tokenizer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.VirtualTokens;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a tokenizer's files say goes around a text, and what ends one; read once, where the tokenizer is loaded.
 *
 * <p>A causal language model reads {@code before}, then a text; a text's end is the end token that it learns. An encoder reads {@code before
 * text after} ({@link Tokenizer#encodeFramed}). A text that begins with {@code before} already is left as it is. In front of all stand an adapter's virtual
 * tokens, if it has any.
 *
 * @param virtual virtual tokens of an adapter in front of {@code before}, see {@link VirtualTokens}; the tokenizer knows nothing of them
 * @param before tokens in front of a text, such as {@code <s>}; at most 64
 * @param after tokens behind a text that is read as a whole, such as {@code [SEP]}; at most 64
 * @param ends ids at which generation stops; at least one
 * @param source the file that says so, or who else does
 */
public record Framing(int virtual, List<Mark> before, List<Mark> after, List<Integer> ends, String source) {
    /** No tokenizer is known that puts more than a language code and a few others around a text. */
    static final int LONGEST = 64;

    /**
     * A token that the text does not spell.
     *
     * @param id its id
     * @param token how the vocabulary writes it
     */
    public record Mark(int id, String token) {}

    public Framing {
        before = List.copyOf(before);
        after = List.copyOf(after);
        ends = List.copyOf(ends);
        if (before.size() > LONGEST || after.size() > LONGEST) {
            throw new InvalidInputException(source + " puts " + before.size() + " tokens before and " + after.size()
                    + " behind every text; at most " + LONGEST + " are possible");
        }
        if (ends.isEmpty()) {
            throw new InvalidInputException(source + " names no end token; at least one is needed");
        }
        if (virtual < 0) {
            throw new InvalidInputException(virtual + " virtual tokens are not possible; give 0 or more");
        }
    }

    /** A framing without virtual tokens. */
    public Framing(List<Mark> before, List<Mark> after, List<Integer> ends, String source) {
        this(0, before, after, ends, source);
    }

    /** Nothing around a text, and one end. */
    public static Framing plain(int eos) {
        return new Framing(List.of(), List.of(), List.of(eos), "the tokenizer");
    }

    /** The same with other tokens in front of a text. */
    public Framing withBefore(List<Mark> other, String newSource) {
        return new Framing(virtual, other, after, ends, newSource);
    }

    /** The same behind so many virtual tokens of an adapter; 0 for none. */
    public Framing behind(int virtualTokens) {
        return new Framing(virtualTokens, before, after, ends, source);
    }

    /** How many tokens stand in front of a text, the virtual ones included. */
    public int headLength() {
        return virtual + before.size();
    }

    /** Ids in front of a text, those of virtual tokens (below zero) first. */
    public int[] beforeIds() {
        int[] ids = Arrays.copyOf(VirtualTokens.ids(virtual), headLength());
        System.arraycopy(ids(before), 0, ids, virtual, before.size());
        return ids;
    }

    /** Ids behind a text that is read as a whole. */
    public int[] afterIds() {
        return ids(after);
    }

    /** Whether generation stops at this id. */
    public boolean isEnd(int id) {
        return ends.contains(id);
    }

    /** {@code body} without the tokens in front that it begins with; they are put there again. */
    public int[] withoutBefore(int... body) {
        int[] head = ids(before);
        return head.length > 0
                        && body.length >= head.length
                        && Arrays.equals(body, 0, head.length, head, 0, head.length)
                ? Arrays.copyOfRange(body, head.length, body.length)
                : body;
    }

    /** {@code body} with the tokens in front, which are not doubled. */
    public int[] begin(int... body) {
        int[] head = beforeIds();
        int[] rest = withoutBefore(body);
        int[] ids = Arrays.copyOf(head, head.length + rest.length);
        System.arraycopy(rest, 0, ids, head.length, rest.length);
        return ids;
    }

    /** What is put in front of texts, in a few words. */
    public String sentence() {
        String first = virtual == 0 ? "" : virtual + " virtual tokens stand first, and ";
        return first + words();
    }

    private String words() {
        return before.isEmpty()
                ? "nothing is put in front of a text (" + source + ")"
                : "every text begins with "
                        + before.stream()
                                .map(mark -> "`" + JsonFiles.excerpt(mark.token()) + "`")
                                .collect(Collectors.joining(" "))
                        + " (" + source + ")";
    }

    private static int[] ids(List<Mark> marks) {
        return marks.stream().mapToInt(Mark::id).toArray();
    }
}
