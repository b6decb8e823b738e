package dev.samediff.tuning.space;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> RANGES = List.of("choice", "integer", "uniform", "log_uniform");

    private SpaceJson() {}

    /**
     * Reads a space from a file.
     *
     * @throws InvalidInputException if it cannot be read or is no space
     */
    public static AdapterSpace read(Path file) {
        try {
            return parse(Files.readString(file, StandardCharsets.UTF_8), file.toString());
        } catch (IOException e) {
            throw new InvalidInputException("the space " + file
                    + (Files.exists(file) ? " cannot be read" : " does not exist")
                    + "; give a JSON file as docs/tuning.md describes it");
        }
    }

    /**
     * Reads a space.
     *
     * @param json the text
     * @param source where it is from, for errors
     * @throws InvalidInputException if it is no space
     */
    public static AdapterSpace parse(String json, String source) {
        try {
            return of(JSON.readTree(json));
        } catch (JsonProcessingException e) {
            throw new InvalidInputException("the space " + source + " is not JSON: " + e.getOriginalMessage());
        } catch (InvalidInputException e) {
            throw new InvalidInputException("the space " + source + ": " + e.getMessage());
        }
    }

    /** Reads a space from a JSON object. */
    public static AdapterSpace of(JsonNode root) {
        if (root.path("schema").asInt() != SCHEMA || !root.path("parameters").isObject()) {
            throw new InvalidInputException(
                    "expected an object with \"schema\": 1 and an object \"parameters\", such as"
                            + " {\"schema\": 1, \"parameters\": {\"rank\": [2, 4, 8]}}");
        }
        List<Parameter> parameters = new ArrayList<>();
        root.path("parameters")
                .properties()
                .forEach(entry -> parameters.add(parameter(entry.getKey(), entry.getValue())));
        return new AdapterSpace(parameters);
    }

    private static Parameter parameter(String name, JsonNode node) {
        if (!node.isObject()) {
            return Parameter.of(name, choice(name, node));
        }
        List<String> kinds = RANGES.stream().filter(node::has).toList();
        if (kinds.size() != 1) {
            throw new InvalidInputException("the parameter `" + name + "` is " + node + "; expected one of " + RANGES);
        }
        Range range = range(name, kinds.get(0), node.path(kinds.get(0)));
        return new Parameter(name, range, Optional.of(node.path("when")).flatMap(when -> condition(name, when)));
    }

    private static Range range(String name, String kind, JsonNode bounds) {
        if (kind.equals("choice")) {
            return choice(name, bounds);
        }
        boolean whole = kind.equals("integer");
        if (bounds.size() != 2
                || !(whole ? bounds.get(0).isInt() && bounds.get(1).isInt() : isNumber(bounds.get(0), bounds.get(1)))) {
            throw new InvalidInputException("the range " + kind + " of `" + name + "` is " + bounds + "; expected ["
                    + (whole ? "whole number, whole number]" : "number, number]"));
        }
        return switch (kind) {
            case "integer" ->
                new Range.Integers(bounds.get(0).intValue(), bounds.get(1).intValue());
            case "uniform" ->
                new Range.Uniform(bounds.get(0).doubleValue(), bounds.get(1).doubleValue());
            default ->
                new Range.LogUniform(bounds.get(0).doubleValue(), bounds.get(1).doubleValue());
        };
    }

    private static boolean isNumber(JsonNode... nodes) {
        return List.of(nodes).stream().allMatch(JsonNode::isNumber);
    }

    private static Range.Choice choice(String name, JsonNode node) {
        List<Object> values = new ArrayList<>();
        for (JsonNode value : node.isArray() ? node : List.of(node)) {
            values.add(value(name, value));
        }
        return new Range.Choice(values);
    }

    private static Optional<Condition> condition(String name, JsonNode when) {
        if (when.isMissingNode()) {
            return Optional.empty();
        }
        if (!when.isObject() || when.size() != 1) {
            throw new InvalidInputException("the condition of `" + name + "` is " + when
                    + "; expected one parameter with its values, such as {\"method\": [\"sorsa\"]}");
        }
        Map.Entry<String, JsonNode> entry = when.properties().iterator().next();
        return Optional.of(
                new Condition(entry.getKey(), choice(name, entry.getValue()).values()));
    }

    /** Returns a JSON value as a value of a parameter: a text, a {@link Long} or a {@link Double}. */
    public static Object value(String name, JsonNode node) {
        if (node.isIntegralNumber() && node.canConvertToLong()) {
            return node.longValue();
        }
        if (node.isNumber()) {
            return node.doubleValue();
        }
        if (node.isTextual()) {
            return node.textValue();
        }
        throw new InvalidInputException("the value " + node + " of `" + name + "` is neither a number nor a text");
    }

    /** Returns a space as JSON that {@link #of} reads. */
    public static ObjectNode write(AdapterSpace space) {
        ObjectNode root = JSON.createObjectNode().put("schema", SCHEMA);
        ObjectNode parameters = root.putObject("parameters");
        for (Parameter parameter : space.parameters()) {
            JsonNode range = range(parameter.range());
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

    private static JsonNode range(Range range) {
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
