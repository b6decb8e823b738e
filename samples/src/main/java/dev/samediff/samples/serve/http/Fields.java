package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The fields of a request. What is not looked at is refused, so that nothing is taken to be heeded which is not; null is like absent. */
final class Fields {
    /** What clients send along, and no answer depends on. */
    private static final Set<String> WITHOUT_EFFECT = Set.of(
            "user",
            "metadata",
            "store",
            "service_tier",
            "safety_identifier",
            "prompt_cache_key",
            "parallel_tool_calls");

    private static final int MOST_TEXTS = 2048;

    private final JsonNode json;
    private final Set<String> read = new TreeSet<>();

    Fields(JsonNode json) {
        this.json = json;
    }

    /** Returns a field as it is. */
    Optional<JsonNode> any(String name) {
        read.add(name);
        JsonNode value = json.path(name);
        return value.isMissingNode() || value.isNull() ? Optional.empty() : Optional.of(value);
    }

    Optional<String> text(String name) {
        return any(name).map(value -> {
            if (!value.isTextual()) {
                throw wrong(name, value, "a string");
            }
            return value.textValue();
        });
    }

    boolean flag(String name) {
        return any(name)
                .map(value -> {
                    if (!value.isBoolean()) {
                        throw wrong(name, value, "true or false");
                    }
                    return value.booleanValue();
                })
                .orElse(false);
    }

    Optional<Double> number(String name, double least, double most) {
        return any(name).map(value -> {
            if (!value.isNumber() || !(value.doubleValue() >= least) || !(value.doubleValue() <= most)) {
                throw wrong(name, value, "a number from " + least + " to " + most);
            }
            return value.doubleValue();
        });
    }

    Optional<Integer> whole(String name, int least, int most) {
        return any(name).map(value -> {
            if (!value.isIntegralNumber()
                    || !value.canConvertToInt()
                    || value.intValue() < least
                    || value.intValue() > most) {
                throw wrong(name, value, "a whole number from " + least + " to " + most);
            }
            return value.intValue();
        });
    }

    Optional<Long> seed(String name) {
        return any(name).map(value -> {
            if (!value.isIntegralNumber() || !value.canConvertToLong()) {
                throw wrong(name, value, "a whole number of at most 64 bits");
            }
            return value.longValue();
        });
    }

    /** Returns a string, or a list of some; empty without the field. */
    List<String> texts(String name) {
        Optional<JsonNode> value = any(name);
        if (value.isEmpty()) {
            return List.of();
        }
        if (value.get().isTextual()) {
            return List.of(value.get().textValue());
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode one : value.get()) {
            if (!one.isTextual()) {
                throw wrong(name, one, "a string or a list of strings");
            }
            texts.add(one.textValue());
        }
        if (texts.isEmpty() || texts.size() > MOST_TEXTS) {
            throw wrong(name, value.get(), "a string or a list of 1 to " + MOST_TEXTS + " strings");
        }
        return texts;
    }

    /** Refuses a field with any value but this one, which changes nothing. */
    void only(String name, JsonNode neutral) {
        any(name).ifPresent(value -> {
            boolean same = value.isNumber() && neutral.isNumber()
                    ? value.doubleValue() == neutral.doubleValue()
                    : value.equals(neutral);
            if (!same) {
                throw ApiException.of(
                        name, name + " is " + excerpt(value) + "; only " + neutral + " is possible, leave it out");
            }
        });
    }

    /** Refuses fields that nobody has read. */
    void requireRead() {
        for (Map.Entry<String, JsonNode> field : json.properties()) {
            String name = field.getKey();
            if (!read.contains(name) && !WITHOUT_EFFECT.contains(name)) {
                throw ApiException.of(
                        JsonFiles.excerpt(name),
                        "there is no field `" + JsonFiles.excerpt(name) + "` here; there are " + read);
            }
        }
    }

    static ApiException wrong(String name, JsonNode value, String expected) {
        return ApiException.of(name, name + " is " + excerpt(value) + "; expected " + expected);
    }

    private static String excerpt(JsonNode value) {
        return JsonFiles.excerpt(value.toString());
    }
}
