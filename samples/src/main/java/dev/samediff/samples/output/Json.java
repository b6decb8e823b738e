package dev.samediff.samples.output;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;

/** Results as JSON: records with snake_case names; what was not measured (NaN) is null. */
public final class Json {
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .addModule(new FiniteNumbers())
            .build();

    private Json() {}

    /** Returns the value on one line. */
    public static String line(Object value) {
        return write(MAPPER, value);
    }

    /** Returns the value indented, for files that people read. */
    public static String pretty(Object value) {
        return write(MAPPER.copy().enable(SerializationFeature.INDENT_OUTPUT), value) + "\n";
    }

    /**
     * Parses a line.
     *
     * @throws IllegalArgumentException if it is not JSON
     */
    public static JsonNode parse(String line) {
        try {
            return MAPPER.readTree(line);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage(), e);
        }
    }

    /**
     * Reads a record from a line that {@link #line} wrote.
     *
     * @throws IllegalArgumentException if it is not JSON, or not of this type
     */
    public static <T> T parse(String line, Class<T> type) {
        try {
            return MAPPER.readValue(line, type);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not a " + type.getSimpleName() + ": " + e.getOriginalMessage(), e);
        }
    }

    private static String write(ObjectMapper mapper, Object value) {
        try {
            return mapper.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot write " + value.getClass() + " as JSON", e);
        }
    }
}
