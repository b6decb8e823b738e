package dev.samediff.adapters.text.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the {@code post_processor} of a {@code tokenizer.json} puts around a single text: {@code TemplateProcessing}, {@code
 * BertProcessing}, {@code RobertaProcessing}, and sequences of them. {@code ByteLevel} and what is not known put nothing. What the section
 * says is checked first; what the library makes of it decides.
 */
final class PostProcessor {
    private final String source;
    private final int vocabulary;
    private final List<Framing.Mark> before = new ArrayList<>();
    private final List<Framing.Mark> after = new ArrayList<>();

    private PostProcessor(String source, int vocabulary) {
        this.source = source;
        this.vocabulary = vocabulary;
    }

    /**
     * Reads the section.
     *
     * @throws InvalidInputException if an id is none of the vocabulary, or the template of a text does not hold it once
     */
    static PostProcessor of(@Nullable JsonNode step, int vocabulary, String source) {
        PostProcessor result = new PostProcessor(source, vocabulary);
        if (step != null) {
            result.read(step);
        }
        return result;
    }

    /** Returns what the library puts around a text where that is something else, as with two templates, of which the second gets a pair. */
    PostProcessor asRunBy(NativeTokenizer tokenizer, TokenizerJson json) {
        try {
            int[] around = tokenizer.encode("", true);
            if (Arrays.equals(
                    around,
                    Stream.concat(before.stream(), after.stream())
                            .mapToInt(Framing.Mark::id)
                            .toArray())) {
                return this;
            }
            for (String probe : List.of("a", "A", "0")) {
                Optional<PostProcessor> seen =
                        seen(tokenizer.encode(probe, true), tokenizer.encode(probe, false), json);
                if (seen.isPresent()) {
                    return seen.get();
                }
            }
        } catch (InvalidInputException e) {
            throw e;
        } catch (RuntimeException e) { // texts with an unknown token cannot be encoded; the first real one will say so
            return this;
        }
        throw refused("tokens around a text that cannot be told from the text");
    }

    private Optional<PostProcessor> seen(int[] framed, int[] body, TokenizerJson json) {
        for (int head = 0; body.length > 0 && head + body.length <= framed.length; head++) {
            if (Arrays.equals(framed, head, head + body.length, body, 0, body.length)) {
                PostProcessor seen = new PostProcessor(source, vocabulary);
                seen.around(marks(framed, 0, head, json), marks(framed, head + body.length, framed.length, json));
                return Optional.of(seen);
            }
        }
        return Optional.empty();
    }

    private List<Framing.Mark> marks(int[] ids, int from, int to, TokenizerJson json) {
        return Arrays.stream(ids, from, to)
                .mapToObj(id -> mark(json.tokenOf(id), IntNode.valueOf(id)))
                .toList();
    }

    List<Framing.Mark> before() {
        return before;
    }

    List<Framing.Mark> after() {
        return after;
    }

    private void read(JsonNode step) {
        switch (step.path("type").asText("")) {
            case "Sequence" -> step.path("processors").forEach(this::read);
            case "TemplateProcessing" -> template(step);
            case "BertProcessing", "RobertaProcessing" -> {
                around(List.of(pair(step, "cls")), List.of(pair(step, "sep")));
            }
            default -> { // ByteLevel moves offsets only
            }
        }
    }

    private void around(List<Framing.Mark> head, List<Framing.Mark> tail) {
        before.addAll(0, head);
        after.addAll(tail);
        if (Math.max(before.size(), after.size()) > Framing.LONGEST) {
            throw refused("more than " + Framing.LONGEST + " tokens on one side of a text");
        }
    }

    private void template(JsonNode step) {
        List<Framing.Mark> head = new ArrayList<>();
        List<Framing.Mark> tail = new ArrayList<>();
        int texts = 0;
        for (JsonNode piece : step.path("single")) {
            if (piece.has("Sequence")) {
                texts++;
                continue;
            }
            String name = piece.path("SpecialToken").path("id").asText("");
            JsonNode ids = step.path("special_tokens").path(name).path("ids");
            JsonNode tokens = step.path("special_tokens").path(name).path("tokens");
            for (int i = 0; i < ids.size(); i++) {
                (texts == 0 ? head : tail).add(mark(tokens.path(i).asText(name), ids.path(i)));
            }
            if (Math.max(head.size(), tail.size()) > Framing.LONGEST) {
                throw refused("more than " + Framing.LONGEST + " tokens on one side of a text");
            }
        }
        if (texts != 1) {
            throw refused("the text " + texts + " times (template `single`); expected once");
        }
        around(head, tail);
    }

    /** A token as BERT's and RoBERTa's processors write it: {@code ["[SEP]", 102]}. */
    private Framing.Mark pair(JsonNode step, String key) {
        return mark(step.path(key).path(0).asText(key), step.path(key).path(1));
    }

    private Framing.Mark mark(String token, JsonNode id) {
        if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= vocabulary) {
            throw refused("the token `" + JsonFiles.excerpt(token) + "` around a text, with the id "
                    + JsonFiles.excerpt(id.toString()) + "; expected a whole number from 0 to " + (vocabulary - 1));
        }
        return new Framing.Mark(id.intValue(), token);
    }

    private InvalidInputException refused(String what) {
        return new InvalidInputException(source + " cannot be used: its post_processor puts " + what);
    }
}
