package dev.samediff.importer.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The fields of a {@code config.json}, each read by name, with the type and range that it must have. A field that changes what the model
 * computes and that nobody read is refused: see {@link #requireRead}.
 */
public final class ModelConfig {
    private static final int SHOWN = 60;
    private static final String SIZE = "a whole number of 1 or more";

    private final JsonNode fields;
    private final String where;
    private final Set<String> read = new HashSet<>();

    ModelConfig(JsonNode fields, String where) {
        this.fields = fields;
        this.where = where;
    }

    /** Returns whether a field is there and not null. */
    public boolean has(String name) {
        read.add(name);
        return !fields.path(name).isMissingNode() && !fields.path(name).isNull();
    }

    /** Returns whether a field is there, be it null: a field that is left out has the family's default, null says that there is none. */
    public boolean mentions(String name) {
        return !fields.path(name).isMissingNode();
    }

    /** Returns a size, 1 or more. */
    public int size(String name) {
        if (!has(name)) {
            throw refused(name, "is missing", SIZE);
        }
        return size(name, 1);
    }

    /** Returns a size, 1 or more, or what it is without the field. */
    public int size(String name, int otherwise) {
        return value(
                name,
                otherwise,
                value -> value.isIntegralNumber() && value.canConvertToInt() && value.intValue() > 0,
                JsonNode::intValue,
                SIZE);
    }

    /** Returns the number of a row in a table, 0 or more, or what it is without the field. */
    public int index(String name, int otherwise) {
        return value(
                name,
                otherwise,
                value -> value.isIntegralNumber() && value.canConvertToInt() && value.intValue() >= 0,
                JsonNode::intValue,
                "a whole number of 0 or more");
    }

    /** Returns a positive, finite number, or what it is without the field. */
    public double number(String name, double otherwise) {
        return value(
                name,
                otherwise,
                value -> value.isNumber() && Double.isFinite(value.doubleValue()) && value.doubleValue() > 0,
                JsonNode::doubleValue,
                "a number above 0");
    }

    /** Returns a truth value, or what it is without the field. */
    public boolean flag(String name, boolean otherwise) {
        return value(name, otherwise, JsonNode::isBoolean, JsonNode::booleanValue, "true or false");
    }

    /** Returns a text, or what it is without the field. */
    public String text(String name, String otherwise) {
        return value(name, otherwise, JsonNode::isTextual, JsonNode::textValue, "a text");
    }

    private <T> T value(
            String name, T otherwise, Predicate<JsonNode> isRight, Function<JsonNode, T> read, String expected) {
        if (!has(name)) {
            return otherwise;
        }
        JsonNode value = fields.path(name);
        if (!isRight.test(value)) {
            throw refused(name, "is " + shown(value), expected);
        }
        return read.apply(value);
    }

    /** Returns a list of texts; empty without the field. */
    public List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        if (has(name)) {
            for (JsonNode each : fields.path(name)) {
                if (!each.isTextual()) {
                    throw refused(name, "is " + shown(fields.path(name)), "a list of texts");
                }
                texts.add(each.textValue());
            }
        }
        return texts;
    }

    /** Returns an object of fields, if it is there. */
    public Optional<ModelConfig> object(String name) {
        return value(
                name,
                Optional.empty(),
                JsonNode::isObject,
                value -> Optional.of(new ModelConfig(value, where + ", `" + name + "`")),
                "an object");
    }

    /** Returns how many entries an object or a list has, or what it is without the field. */
    public int count(String name, int otherwise) {
        return value(name, otherwise, JsonNode::isContainerNode, JsonNode::size, "an object or a list");
    }

    /** Refuses {@code true} for a field that the family does not build. */
    public void requireFalse(String name) {
        if (flag(name, false)) {
            throw refused(name, "is true", "false; export the model to ONNX");
        }
    }

    /**
     * Refuses a value that would change what the model computes in a way that is not supported.
     *
     * @param expected what could be there instead
     */
    public void requireOnly(String name, String value, String expected) {
        if (has(name) && !shown(fields.path(name)).equals(value)) {
            throw refused(name, "is " + shown(fields.path(name)), expected);
        }
    }

    /** Returns the refusal of a field. */
    public InvalidInputException refused(String name, String problem, String expected) {
        return new InvalidInputException(where + ": the field `" + name + "` " + problem + "; expected " + expected);
    }

    /** Refuses fields of these names that are there and were never read: they change what a model computes. */
    public void requireRead(Set<String> changing) {
        List<String> unread = changing.stream()
                .filter(name -> !read.contains(name) && has(name))
                .filter(name -> saysSomething(fields.path(name)))
                .sorted()
                .toList();
        if (!unread.isEmpty()) {
            throw new InvalidInputException(where + ": the fields " + unread
                    + " change what the model computes and are not supported for this model type; export the model to"
                    + " ONNX instead");
        }
    }

    private static boolean saysSomething(JsonNode value) {
        return value.isBoolean() ? value.booleanValue() : !(value.isContainerNode() && value.isEmpty());
    }

    private static String shown(JsonNode value) {
        String text = value.isTextual() ? value.textValue() : value.toString();
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "...";
    }
}
