package dev.samediff.tuning.space;

import java.util.List;

/**
 * When a parameter exists at all: gamma only for SORSA.
 *
 * @param parameter name of another parameter, a choice
 * @param values its values for which the parameter exists
 */
public record Condition(String parameter, List<Object> values) {
    public Condition {
        values = List.copyOf(values);
    }

    boolean holds(ParameterValues others) {
        return values.contains(others.values().get(parameter));
    }
}
