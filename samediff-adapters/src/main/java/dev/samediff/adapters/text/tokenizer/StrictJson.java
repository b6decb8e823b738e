package dev.samediff.adapters.text.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * What is JSON to Jackson and not to Rust's serde_json, by which the tokenizers library reads its files: numbers beyond a double, halves of
 * surrogate pairs, and nesting deeper than 127. The library's readers of steps abort the process where their JSON does not parse
 * (tokenizers 0.21, {@code decoders/mod.rs}).
 */
final class StrictJson {
    /** Below serde_json's limit of 128; the library's own readers are somewhere inside of it. */
    private static final int DEEPEST = 100;

    private static final JsonFactory FACTORY = new JsonFactory();

    private StrictJson() {}

    /**
     * Checks a file that {@link TokenizerJson} has read.
     *
     * @throws InvalidInputException if serde_json would not read it
     */
    static void check(byte[] json, String source) {
        try (JsonParser parser = FACTORY.createParser(json)) {
            int depth = 0;
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                if (depth > DEEPEST) {
                    throw refused(source, parser, "is nested deeper than " + DEEPEST);
                }
                check(token, parser, source);
            }
        } catch (IOException e) {
            throw new InvalidInputException(
                    source + " is not JSON (" + JsonFiles.reason(e) + "); expected a Hugging Face tokenizer.json", e);
        }
    }

    private static void check(JsonToken token, JsonParser parser, String source) throws IOException {
        if (token.isNumeric() && !Double.isFinite(parser.getDoubleValue())) {
            throw refused(
                    source,
                    parser,
                    "has the number " + JsonFiles.excerpt(parser.getText()) + ", which no 64-bit number holds");
        }
        boolean words = token == JsonToken.FIELD_NAME || token == JsonToken.VALUE_STRING;
        if (words && !StandardCharsets.UTF_8.newEncoder().canEncode(parser.getText())) {
            throw refused(
                    source,
                    parser,
                    "has the half of a character (a lone surrogate) in `" + JsonFiles.excerpt(parser.getText()) + "`");
        }
    }

    private static InvalidInputException refused(String source, JsonParser parser, String what) {
        return new InvalidInputException(source + " cannot be used: it " + what + ", at line "
                + parser.currentTokenLocation().getLineNr() + "; make the file again with tokenizer.save_pretrained");
    }
}
