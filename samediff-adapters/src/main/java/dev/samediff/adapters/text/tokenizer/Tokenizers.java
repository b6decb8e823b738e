package dev.samediff.adapters.text.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/** Finds the right {@link Tokenizer} for a file or folder by its content. */
public final class Tokenizers {
    private static final JsonFactory FACTORY = new ObjectMapper().getFactory();
    private static final String EXPECTED =
            "a tokenizer.json, a folder with one, or a character vocabulary {\"type\":\"char\",...}";
    private static final String CONVERT = ". A SentencePiece .model or a vocab.txt must be converted: load it with"
            + " AutoTokenizer in Python and call save_pretrained";

    private Tokenizers() {}

    /**
     * Loads a tokenizer.
     *
     * @param path a character vocabulary, a Hugging Face {@code tokenizer.json}, or a folder containing the latter
     * @throws InvalidInputException if it is none of these
     */
    public static Tokenizer load(Path path) {
        Path file = path;
        if (Files.isDirectory(path)) {
            file = path.resolve("tokenizer.json");
            if (!Files.isRegularFile(file)) {
                throw new InvalidInputException("the folder " + path + " has no tokenizer.json; expected " + EXPECTED);
            }
        }
        Set<String> keys = topLevelKeys(file);
        if (keys.contains("model")) {
            return HuggingFaceTokenizer.load(file);
        }
        if (keys.contains("tokens") || keys.contains("type")) {
            return CharTokenizer.load(file);
        }
        throw new InvalidInputException(
                file + " is JSON with the keys " + keys + ", not a tokenizer; expected " + EXPECTED);
    }

    private static Set<String> topLevelKeys(Path file) {
        byte[] bytes = JsonFiles.bytes(file, EXPECTED);
        Set<String> keys = new TreeSet<>();
        try (JsonParser parser = FACTORY.createParser(bytes)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new InvalidInputException(file + " holds no JSON object; expected " + EXPECTED + CONVERT);
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                keys.add(parser.currentName());
                parser.nextToken();
                parser.skipChildren();
            }
        } catch (IOException e) {
            throw new InvalidInputException(
                    file + " is not JSON (" + JsonFiles.reason(e) + "); expected " + EXPECTED + CONVERT, e);
        }
        return keys;
    }
}
