package dev.samediff.adapters.text.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.EncodingReport;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * One token per character (Unicode code point).
 *
 * <p>Its file is {@code {"type":"char","pad":0,"eos":1,"unk":2,"tokens":["<pad>","<eos>","<unk>","\n"," ","a",...]}}: the
 * index is the id; {@code "bos"} may be given as well. A token is one code point, or a special token: one of the named
 * ids or anything in angle brackets. Characters outside the vocabulary become the {@code unk} id; {@link
 * #unknownCharacters} and {@link EncodingReport#unknownTokens} tell of them. Unknown ids decode to U+FFFD.
 */
public final class CharTokenizer implements Tokenizer {
    private static final int REPLACEMENT = 0xFFFD;

    private final List<String> tokens;
    private final int pad;
    private final int eos;
    private final int unk;
    private final OptionalInt bos;
    /** Id by code point up to the highest one of the vocabulary; -1 where there is none. */
    private final int[] idByCodePoint;
    /** Code point by id; -1 for special tokens. */
    private final int[] codePointById;

    private CharTokenizer(List<String> tokens, int pad, int eos, int unk, OptionalInt bos, String source) {
        this.tokens = List.copyOf(tokens);
        this.pad = pad;
        this.eos = eos;
        this.unk = unk;
        this.bos = bos;
        this.codePointById = codePoints(source);
        int highest = Arrays.stream(codePointById).max().orElse(-1);
        this.idByCodePoint = new int[highest + 1];
        Arrays.fill(idByCodePoint, -1);
        for (int id = 0; id < codePointById.length; id++) {
            int codePoint = codePointById[id];
            if (codePoint < 0) {
                continue;
            }
            if (idByCodePoint[codePoint] >= 0) {
                throw new InvalidInputException(source + ": token " + quoted(tokens.get(id)) + " stands at index "
                        + idByCodePoint[codePoint] + " and again at index " + id + "; remove one of them");
            }
            idByCodePoint[codePoint] = id;
        }
    }

    /** Reads a vocabulary file; an {@link InvalidInputException} names what is wrong with it. */
    public static CharTokenizer load(Path file) {
        return parse(JsonFiles.object(file, "a character vocabulary"), "character vocabulary " + file);
    }

    /** Reads a vocabulary from a stream, such as a class-path resource; the stream is not closed. */
    public static CharTokenizer load(InputStream stream) throws IOException {
        return parse(
                JsonFiles.object(stream.readAllBytes(), "the stream", "a character vocabulary"),
                "character vocabulary from a stream");
    }

    /** A vocabulary of all characters of {@code text}, in code point order after {@code <pad>, <eos>, <unk>}. */
    public static CharTokenizer ofText(String text) {
        List<String> tokens = new ArrayList<>(List.of("<pad>", "<eos>", "<unk>"));
        text.codePoints()
                .boxed()
                .collect(TreeSet<Integer>::new, Set::add, Set::addAll)
                .forEach(c -> tokens.add(Character.toString(c)));
        return new CharTokenizer(tokens, 0, 1, 2, OptionalInt.empty(), "character vocabulary of a text");
    }

    private static CharTokenizer parse(JsonNode json, String source) {
        if (!"char".equals(json.path("type").asText(""))) {
            throw new InvalidInputException(source + ": \"type\" is "
                    + JsonFiles.excerpt(json.path("type").toString())
                    + ", expected \"char\"; a character vocabulary is"
                    + " {\"type\":\"char\",\"pad\":0,\"eos\":1,\"unk\":2,\"tokens\":[...]}");
        }
        JsonNode list = json.path("tokens");
        if (!list.isArray() || list.isEmpty()) {
            throw new InvalidInputException(source + ": \"tokens\" must be an array of strings, one per id");
        }
        List<String> tokens = new ArrayList<>(list.size());
        for (JsonNode token : list) {
            if (!token.isTextual() || token.textValue().isEmpty()) {
                throw new InvalidInputException(source + ": token " + tokens.size() + " is "
                        + JsonFiles.excerpt(token.toString()) + ", expected a string of one character");
            }
            tokens.add(token.textValue());
        }
        return new CharTokenizer(
                tokens,
                special(json, "pad", tokens.size(), source),
                special(json, "eos", tokens.size(), source),
                special(json, "unk", tokens.size(), source),
                json.has("bos") ? OptionalInt.of(special(json, "bos", tokens.size(), source)) : OptionalInt.empty(),
                source);
    }

    private static int special(JsonNode json, String key, int size, String source) {
        JsonNode value = json.path(key);
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0 || value.intValue() >= size) {
            throw new InvalidInputException(
                    source + ": \"" + key + "\" is " + (json.has(key) ? JsonFiles.excerpt(value.toString()) : "missing")
                            + ", expected the index of a token, 0 to " + (size - 1));
        }
        return value.intValue();
    }

    private int[] codePoints(String source) {
        Set<Integer> named = new LinkedHashSet<>(List.of(pad, eos, unk));
        bos.ifPresent(named::add);
        int[] result = new int[tokens.size()];
        for (int id = 0; id < result.length; id++) {
            String token = tokens.get(id);
            boolean single = token.codePointCount(0, token.length()) == 1;
            if (!single && !named.contains(id) && !(token.startsWith("<") && token.endsWith(">"))) {
                throw new InvalidInputException(source + ": token " + id + " is " + quoted(token)
                        + ", expected one character (or a special token such as \"<pad>\"); word pieces need a"
                        + " tokenizer.json");
            }
            result[id] = single && !named.contains(id) ? token.codePointAt(0) : -1;
        }
        return result;
    }

    @Override
    public int[] encode(String text) {
        int[] ids = new int[text.length()];
        int count = 0;
        for (int i = 0; i < text.length(); ) {
            int codePoint = text.codePointAt(i);
            i += Character.charCount(codePoint);
            int id = idOf(codePoint);
            ids[count++] = id < 0 ? unk : id;
        }
        return count == ids.length ? ids : Arrays.copyOf(ids, count);
    }

    private int idOf(int codePoint) {
        return codePoint < idByCodePoint.length ? idByCodePoint[codePoint] : -1;
    }

    /** The distinct characters of {@code text} that the vocabulary lacks, in order of appearance. */
    public Set<String> unknownCharacters(String text) {
        Set<String> unknown = new LinkedHashSet<>();
        text.codePoints().filter(c -> idOf(c) < 0).forEach(c -> unknown.add(Character.toString(c)));
        return unknown;
    }

    @Override
    public String decode(int[] ids) {
        StringBuilder text = new StringBuilder(ids.length);
        for (int id : ids) {
            if (id < 0 || id >= codePointById.length) {
                throw new InvalidInputException(
                        "token id " + id + " is outside the vocabulary, 0 to " + (codePointById.length - 1));
            }
            if (id == unk) {
                text.appendCodePoint(REPLACEMENT);
            } else if (codePointById[id] >= 0) {
                text.appendCodePoint(codePointById[id]);
            }
        }
        return text.toString();
    }

    /** The vocabulary as the JSON that {@link #load(Path)} reads. */
    public String toJson() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("type", "char").put("pad", pad).put("eos", eos).put("unk", unk);
        bos.ifPresent(id -> json.put("bos", id));
        ArrayNode list = json.putArray("tokens");
        tokens.forEach(list::add);
        return json.toString();
    }

    private static String quoted(String token) {
        return JsonFiles.excerpt("\"" + token + "\"");
    }

    @Override
    public int padId() {
        return pad;
    }

    @Override
    public int eosId() {
        return eos;
    }

    @Override
    public OptionalInt bosId() {
        return bos;
    }

    @Override
    public Optional<Framing.Mark> bosMark() {
        return bos.isPresent()
                ? Optional.of(new Framing.Mark(bos.getAsInt(), tokens.get(bos.getAsInt())))
                : Optional.empty();
    }

    @Override
    public OptionalInt unknownId() {
        return OptionalInt.of(unk);
    }

    @Override
    public int vocabularySize() {
        return tokens.size();
    }

    @Override
    public String describe() {
        return "characters, " + tokens.size() + " tokens, pad " + pad + ", eos " + eos + ", unk " + unk;
    }
}
