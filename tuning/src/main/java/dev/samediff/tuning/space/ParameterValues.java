package dev.samediff.tuning.space;

import dev.samediff.adapters.InvalidInputException;
import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One point of a space: a value for each parameter that exists there.
 *
 * @param values strings, {@link Long}s and {@link Double}s by name, in the space's order
 */
public record ParameterValues(Map<String, Object> values) implements Serializable {
    public ParameterValues {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** Returns a text, if the parameter exists here. */
    public Optional<String> text(String name) {
        return Optional.ofNullable(values.get(name)).map(Object::toString);
    }

    /**
     * Returns a number, if the parameter exists here.
     *
     * @throws InvalidInputException if it is none
     */
    public Optional<Double> number(String name) {
        return Optional.ofNullable(values.get(name))
                .map(value -> number(name, value).doubleValue());
    }

    /**
     * Returns a whole number, if the parameter exists here.
     *
     * @throws InvalidInputException if it is none
     */
    public Optional<Integer> whole(String name) {
        return Optional.ofNullable(values.get(name)).map(value -> {
            Number number = number(name, value);
            if (number.doubleValue() != number.intValue()) {
                throw new InvalidInputException(
                        "the parameter `" + name + "` is " + value + "; expected a whole number");
            }
            return number.intValue();
        });
    }

    private static Number number(String name, @Nullable Object value) {
        if (value instanceof Number number) {
            return number;
        }
        throw new InvalidInputException("the parameter `" + name + "` is `" + value + "`; expected a number");
    }

    @Override
    public String toString() {
        return values.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(" "));
    }
}
