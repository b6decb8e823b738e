package dev.samediff.tuning.space;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A value of a JSON text and where it stands there, read strictly: whatever is missing, of another type or too much is an
 * {@link InvalidInputException} that names the place, such as {@code parameters.eta.uniform[1]}.
 *
 * @param path the place; empty for the whole text
 * @param node the value; a {@link MissingNode} where there is none
 */
public record JsonAt(String path, JsonNode node) {
    private static final Pattern PLAIN = Pattern.compile("\\w{1,60}");

    /**
     * Reads a text. A key that is there twice is an error, and so is anything behind the value.
     *
     * @throws InvalidInputException if it is not JSON
     */
    public static JsonAt parse(String json) {
        try {
            return new JsonAt("", JsonFiles.STRICT.readTree(json));
        } catch (JsonProcessingException e) {
            throw new InvalidInputException("it is not JSON: " + JsonFiles.reason(e));
        }
    }

    /** Returns the value of a key; missing if this is no object, or has no such key. */
    public JsonAt at(String key) {
        String name = PLAIN.matcher(key).matches() ? key : "\"" + JsonFiles.excerpt(key) + "\"";
        return new JsonAt(path.isEmpty() ? name : path + "." + name, node.path(key));
    }

    /** Returns whether there is a value, which may be null. */
    public boolean exists() {
        return !node.isMissingNode();
    }

    /** Returns the values of an object by their keys, in order. */
    public List<Entry> entries() {
        if (!node.isObject()) {
            throw wrong("an object");
        }
        if (node.properties().stream().anyMatch(entry -> hasControls(entry.getKey()))) {
            throw wrong("keys without line ends and other control characters");
        }
        return node.properties().stream()
                .map(entry -> new Entry(entry.getKey(), at(entry.getKey())))
                .toList();
    }

    /** A key of an object and its value. */
    public record Entry(String key, JsonAt value) {}

    /** Returns the values of an array, in order. */
    public List<JsonAt> items() {
        if (!node.isArray()) {
            throw wrong("an array");
        }
        List<JsonAt> items = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            items.add(new JsonAt(path + "[" + i + "]", node.path(i)));
        }
        return items;
    }

    /** Returns a text. */
    public String text() {
        if (!node.isTextual()) {
            throw wrong("a text");
        }
        return node.textValue();
    }

    /** Returns a finite number. */
    public double number() {
        if (!node.isNumber() || !Double.isFinite(node.doubleValue())) {
            throw wrong("a finite number");
        }
        return node.doubleValue();
    }

    /** Returns a whole number of 32 bits. */
    public int whole() {
        if (!node.isIntegralNumber() || !node.canConvertToInt()) {
            throw wrong("a whole number from " + Integer.MIN_VALUE + " to " + Integer.MAX_VALUE);
        }
        return node.intValue();
    }

    /** Returns a whole number of 64 bits, at least 0. */
    public long count() {
        if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < 0) {
            throw wrong("a whole number, 0 or more");
        }
        return node.longValue();
    }

    /** Returns a value of a parameter: a text of one line, a {@link Long} or a {@link Double}. */
    public Object value() {
        if (node.isIntegralNumber() && node.canConvertToLong()) {
            return node.longValue();
        }
        if (node.isTextual()) {
            if (hasControls(node.textValue())) {
                throw wrong("a text without line ends and other control characters");
            }
            return node.textValue();
        }
        if (!node.isNumber()) {
            throw wrong("a number or a text");
        }
        return number();
    }

    private static boolean hasControls(String text) {
        return text.codePoints().anyMatch(Character::isISOControl);
    }

    /** Checks that an object has no other keys than these. */
    public void requireKeys(List<String> known) {
        for (Entry entry : entries()) {
            if (!known.contains(entry.key())) {
                throw entry.value().wrong("nothing there: the keys are " + String.join(", ", known));
            }
        }
    }

    /** Returns the error that something else was expected here. */
    public InvalidInputException wrong(String expected) {
        return new InvalidInputException((path.isEmpty() ? "it" : "`" + path + "`") + " is "
                + (exists() ? JsonFiles.excerpt(node.toString()) : "missing") + "; expected " + expected);
    }
}
