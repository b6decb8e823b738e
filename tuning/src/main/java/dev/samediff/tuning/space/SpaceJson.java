package dev.samediff.tuning.space;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.GivenFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Spaces as JSON, version 1: a number or text is a fixed value, a list is a choice.
 *
 * <pre>{@code
 * {"schema": 1, "parameters": {
 *   "method": ["sorsa", "pissa"],
 *   "rank": [2, 4, 8],
 *   "gamma": {"log_uniform": [1e-5, 1e-2], "when": {"method": ["sorsa"]}},
 *   "eta": {"log_uniform": [1e-3, 3e-2]},
 *   "batch": {"integer": [4, 32]},
 *   "alpha": {"uniform": [4, 32]},
 *   "schedule": "cosine"}}
 * }</pre>
 */
public final class SpaceJson {
    private static final int SCHEMA = 1;
    private static final String BYTE_ORDER_MARK = "\uFEFF";
    private static final int MOST_BYTES = 1 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String WHEN = "when";
    private static final List<String> RANGES = List.of("choice", "integer", "uniform", "log_uniform");

    private SpaceJson() {}

    /**
     * Reads a space from a file.
     *
     * @throws InvalidInputException if it cannot be read or is no space
     */
    public static AdapterSpace read(Path file) {
        return parse(text(file), file.toString());
    }

    private static String text(Path file) {
        byte[] bytes;
        try {
            bytes = GivenFile.bytes(file, MOST_BYTES, "a JSON file as docs/tuning.md describes it");
        } catch (InvalidInputException e) {
            throw new InvalidInputException("the space " + e.getMessage());
        } catch (IOException e) {
            throw new InvalidInputException(
                    "the space " + file + " cannot be read; give a JSON file as docs/tuning.md describes it");
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new InvalidInputException("the space " + file + " is not text in UTF-8; save it as UTF-8");
        }
    }

    /**
     * Reads a space.
     *
     * @param json the text
     * @param source where it is from, for errors
     * @throws InvalidInputException if it is no space; the message names the place in the text
     */
    public static AdapterSpace parse(String json, String source) {
        try {
            return of(JsonAt.parse(json));
        } catch (InvalidInputException e) {
            throw new InvalidInputException("the space " + source + ": " + e.getMessage());
        }
    }

    /** Reads a space from a JSON object. */
    public static AdapterSpace of(JsonAt root) {
        JsonAt schema = root.at("schema");
        JsonAt entries = root.at("parameters");
        if (!schema.exists() || !entries.exists()) {
            throw root.wrong("an object with \"schema\": 1 and an object \"parameters\", such as"
                    + " {\"schema\": 1, \"parameters\": {\"rank\": [2, 4, 8]}}");
        }
        root.requireKeys(List.of("schema", "parameters"));
        if (schema.whole() != SCHEMA) {
            throw schema.wrong(SCHEMA + ", the only version there is");
        }
        return new AdapterSpace(entries.entries().stream()
                .map(entry -> parameter(entry.key(), entry.value()))
                .toList());
    }

    private static Parameter parameter(String name, JsonAt at) {
        if (!at.node().isObject()) {
            return Parameter.of(name, choice(at));
        }
        List<String> kinds = RANGES.stream().filter(at.node()::has).toList();
        if (kinds.size() != 1) {
            throw at.wrong("one of " + String.join(", ", RANGES));
        }
        at.requireKeys(List.of(kinds.get(0), WHEN));
        Range range = range(kinds.get(0), at.at(kinds.get(0)));
        JsonAt when = at.at(WHEN);
        return new Parameter(name, range, when.exists() ? Optional.of(condition(when)) : Optional.empty());
    }

    private static Range range(String kind, JsonAt at) {
        if (kind.equals("choice")) {
            return choice(at);
        }
        if (!at.node().isArray() || at.node().size() != 2) {
            throw at.wrong(kind.equals("integer") ? "[whole number, whole number]" : "[number, number]");
        }
        JsonAt low = at.items().get(0);
        JsonAt high = at.items().get(1);
        return located(at, () -> switch (kind) {
            case "integer" -> new Range.Integers(low.whole(), high.whole());
            case "uniform" -> new Range.Uniform(low.number(), high.number());
            default -> new Range.LogUniform(low.number(), high.number());
        });
    }

    private static Range.Choice choice(JsonAt at) {
        List<JsonAt> items = at.node().isArray() ? at.items() : List.of(at);
        List<Object> values = items.stream().map(JsonAt::value).toList();
        return located(at, () -> new Range.Choice(values));
    }

    private static Condition condition(JsonAt at) {
        if (!at.node().isObject() || at.node().size() != 1) {
            throw at.wrong("one parameter with its values, such as {\"method\": [\"sorsa\"]}");
        }
        JsonAt.Entry entry = at.entries().get(0);
        return new Condition(entry.key(), choice(entry.value()).values());
    }

    /** Says where a value stands that a range does not take. */
    private static <T> T located(JsonAt at, Supplier<T> made) {
        try {
            return made.get();
        } catch (InvalidInputException e) {
            String message = String.valueOf(e.getMessage());
            throw message.contains("`" + at.path()) ? e : new InvalidInputException("`" + at.path() + "`: " + message);
        }
    }

    /** Returns a space as JSON that {@link #of} reads. */
    public static ObjectNode write(AdapterSpace space) {
        ObjectNode root = JSON.createObjectNode().put("schema", SCHEMA);
        ObjectNode parameters = root.putObject("parameters");
        for (Parameter parameter : space.parameters()) {
            JsonNode range = json(parameter.range());
            if (parameter.condition().isPresent()) {
                Condition condition = parameter.condition().get();
                ObjectNode object = range instanceof ObjectNode known
                        ? known
                        : JSON.createObjectNode().set("choice", range.isArray() ? range : array(List.of(range)));
                object.putObject("when").set(condition.parameter(), values(condition.values()));
                range = object;
            }
            parameters.set(parameter.name(), range);
        }
        return root;
    }

    /** Returns a range as it is written in a file. */
    static JsonNode json(Range range) {
        if (range instanceof Range.Choice choice) {
            ArrayNode values = values(choice.values());
            return choice.isFixed() ? values.get(0) : values;
        }
        ObjectNode object = JSON.createObjectNode();
        if (range instanceof Range.Integers integers) {
            object.putArray("integer").add(integers.low()).add(integers.high());
        } else if (range instanceof Range.Uniform uniform) {
            object.putArray("uniform").add(uniform.low()).add(uniform.high());
        } else if (range instanceof Range.LogUniform log) {
            object.putArray("log_uniform").add(log.low()).add(log.high());
        }
        return object;
    }

    private static ArrayNode values(List<Object> values) {
        return array(
                values.stream().map(value -> (JsonNode) JSON.valueToTree(value)).toList());
    }

    private static ArrayNode array(List<JsonNode> nodes) {
        return JsonNodeFactory.instance.arrayNode().addAll(nodes);
    }
}
