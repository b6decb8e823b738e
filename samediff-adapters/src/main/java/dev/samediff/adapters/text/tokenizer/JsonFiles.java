package dev.samediff.adapters.text.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.GivenFile;
import dev.samediff.adapters.io.JsonReason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** Strict JSON, with sentences for the user when it is not. */
public final class JsonFiles {
    /** Duplicate keys and anything behind the value are errors. */
    public static final ObjectReader STRICT = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build()
            .readerFor(JsonNode.class);

    /** Six times as much as vocabularies of 256,000 tokens take. */
    private static final long MOST_BYTES = 256L << 20;

    private static final int EXCERPT = 80;

    private JsonFiles() {}

    /** The JSON object in {@code file}; {@code expected} says what the file should have been. */
    public static JsonNode object(Path file, String expected) {
        return object(bytes(file, expected), file.toString(), expected);
    }

    static byte[] bytes(Path file, String expected) {
        try {
            return GivenFile.bytes(file, MOST_BYTES, expected);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    static JsonNode object(byte[] bytes, String source, String expected) {
        JsonNode json;
        try {
            json = new ObjectMapper().readTree(bytes);
        } catch (IOException e) {
            throw new InvalidInputException(source + " is not JSON (" + reason(e) + "); expected " + expected, e);
        }
        if (json == null || !json.isObject()) {
            throw new InvalidInputException(source + " holds no JSON object; expected " + expected);
        }
        return json;
    }

    /** What a parser complained of, without Jackson's hints to programmers. */
    public static String reason(IOException e) {
        if (!(e instanceof JsonProcessingException json)) {
            return String.valueOf(e.getMessage());
        }
        String where = json.getLocation() == null
                ? ""
                : " at column " + json.getLocation().getColumnNr();
        return JsonReason.of(json) + where;
    }

    /** The beginning of {@code text} on one line. */
    public static String excerpt(String text) {
        StringBuilder line = new StringBuilder();
        text.codePoints().limit(EXCERPT).forEach(c -> {
            switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> line.append(Character.isISOControl(c) ? String.format("\\u%04x", c) : Character.toString(c));
            }
        });
        return text.codePointCount(0, text.length()) > EXCERPT ? line + "..." : line.toString();
    }
}
