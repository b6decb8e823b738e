package dev.samediff.adapters.io;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A JSON object in a file, read with messages that name the file, the key and what was expected. */
final class JsonFile {
    static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .build();

    private static final int SHOWN = 200;

    private final Path file;
    private final String where;
    private final JsonNode node;

    private JsonFile(Path file, String where, JsonNode node) {
        this.file = file;
        this.where = where;
        this.node = node;
    }

    static JsonFile read(Path file) throws IOException {
        try {
            byte[] bytes = GivenFile.bytes(file, GivenFile.MOST_JSON, "a JSON object");
            JsonNode node = JSON.readTree(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
            if (!node.isObject()) {
                throw new InvalidInputException(file + " is not a JSON object; copy or make the file again");
            }
            return new JsonFile(file, "", node);
        } catch (NoSuchFileException e) {
            throw new InvalidInputException("there is no file " + file + "; check the path", e);
        } catch (JsonProcessingException e) {
            throw new InvalidInputException(
                    file + " is not valid JSON (" + JsonReason.of(e) + "); copy or make the file again", e);
        } catch (CharacterCodingException e) {
            throw new InvalidInputException(file + " is not text in UTF-8; copy or make the file again", e);
        }
    }

    /** Formats as Python's {@code json.dumps(indent=2)} does. */
    static String pretty(JsonNode node) {
        Separators separators = Separators.createDefaultInstance()
                .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
                .withObjectEmptySeparator("")
                .withArrayEmptySeparator("");
        DefaultIndenter lines = new DefaultIndenter("  ", "\n");
        DefaultPrettyPrinter printer =
                new DefaultPrettyPrinter(separators).withObjectIndenter(lines).withArrayIndenter(lines);
        try {
            return JSON.writer(printer).writeValueAsString(node) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a JSON tree can always be written", e);
        }
    }

    /** The object itself. */
    ObjectNode node() {
        return (ObjectNode) node;
    }

    /** Whether the key is there and not null. */
    boolean has(String key) {
        return node.hasNonNull(key);
    }

    /** The raw value; null and absent are the same. */
    @Nullable
    JsonNode raw(String key) {
        return has(key) ? node.get(key) : null;
    }

    String text(String key) {
        return required(key, optionalText(key), "a string");
    }

    Optional<String> optionalText(String key) {
        return value(key, "a string", JsonNode::isTextual, JsonNode::textValue);
    }

    double number(String key) {
        return required(key, optionalNumber(key), "a number");
    }

    Optional<Double> optionalNumber(String key) {
        return value(key, "a finite number", JsonFile::isFinite, JsonNode::doubleValue);
    }

    int count(String key) {
        return required(key, value(key, "a whole number", JsonFile::isInt, JsonNode::intValue), "a whole number");
    }

    long wholeNumber(String key) {
        return required(
                key,
                value(key, "a whole number", n -> n.isIntegralNumber() && n.canConvertToLong(), JsonNode::longValue),
                "a whole number");
    }

    boolean flag(String key, boolean absent) {
        return value(key, "true or false", JsonNode::isBoolean, JsonNode::booleanValue)
                .orElse(absent);
    }

    Optional<JsonFile> object(String key) {
        return value(key, "an object", JsonNode::isObject, n -> new JsonFile(file, where + key + ".", n));
    }

    JsonFile requiredObject(String key) {
        return required(key, object(key), "an object");
    }

    /** The objects of an array. */
    List<JsonFile> objects(String key) {
        JsonNode array = required(key, value(key, "an array", JsonNode::isArray, n -> n), "an array");
        List<JsonFile> objects = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            if (!array.get(i).isObject()) {
                throw wrong(key, array, "an array of objects");
            }
            objects.add(new JsonFile(file, where + key + "[" + i + "].", array.get(i)));
        }
        return objects;
    }

    /** The strings of an array; empty if absent. */
    List<String> texts(String key) {
        return list(key, "an array of strings", JsonNode::isTextual, JsonNode::textValue);
    }

    /** The whole numbers of an array; empty if absent. */
    List<Integer> counts(String key) {
        return list(key, "an array of whole numbers", JsonFile::isInt, JsonNode::intValue);
    }

    Map<String, Integer> countsByName(String key) {
        return map(key, "whole numbers", JsonFile::isInt, JsonNode::intValue);
    }

    Map<String, Double> numbersByName(String key) {
        return map(key, "finite numbers", JsonFile::isFinite, JsonNode::doubleValue);
    }

    Map<String, String> textsByName(String key) {
        return map(key, "strings", JsonNode::isTextual, JsonNode::textValue);
    }

    InvalidInputException wrong(String key, @Nullable Object value, String expected) {
        return new InvalidInputException(
                "`" + where + key + "` in " + file + " is " + shown(value) + "; expected " + expected);
    }

    /** A value in a message, cut where it is long. */
    static String shown(@Nullable Object value) {
        String text = String.valueOf(value);
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "... (" + text.length() + " characters)";
    }

    private <T> List<T> list(String key, String expected, Function<JsonNode, Boolean> is, Function<JsonNode, T> as) {
        List<T> items = new ArrayList<>();
        value(key, expected, JsonNode::isArray, n -> n)
                .ifPresent(array -> array.forEach(item -> {
                    if (!is.apply(item)) {
                        throw wrong(key, array, expected);
                    }
                    items.add(as.apply(item));
                }));
        return items;
    }

    private <T> Map<String, T> map(
            String key, String expected, Function<JsonNode, Boolean> is, Function<JsonNode, T> as) {
        Map<String, T> items = new LinkedHashMap<>();
        value(key, "an object", JsonNode::isObject, n -> n)
                .ifPresent(object -> object.properties().forEach(field -> {
                    if (!is.apply(field.getValue())) {
                        throw wrong(key, object, "an object of " + expected);
                    }
                    items.put(field.getKey(), as.apply(field.getValue()));
                }));
        return items;
    }

    private <T> Optional<T> value(
            String key, String expected, Function<JsonNode, Boolean> is, Function<JsonNode, T> as) {
        JsonNode value = raw(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!is.apply(value)) {
            throw wrong(key, value, expected);
        }
        return Optional.of(as.apply(value));
    }

    private <T> T required(String key, Optional<T> value, String expected) {
        return value.orElseThrow(() -> wrong(key, "missing", expected));
    }

    private static boolean isInt(JsonNode n) {
        return n.isIntegralNumber() && n.canConvertToInt();
    }

    private static boolean isFinite(JsonNode n) {
        return n.isNumber() && Double.isFinite(n.doubleValue());
    }
}
