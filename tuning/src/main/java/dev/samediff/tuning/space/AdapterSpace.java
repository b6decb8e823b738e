package dev.samediff.tuning.space;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a sweep varies: parameters with their ranges and conditions.
 *
 * <pre>{@code
 * AdapterSpace space = AdapterSpace.of(
 *         Parameter.of("method", new Range.Choice(List.of("sorsa", "pissa"))),
 *         Parameter.of("rank", new Range.Choice(List.of(2L, 4L, 8L))),
 *         Parameter.of("gamma", new Range.LogUniform(1e-5, 1e-2)).when("method", "sorsa"),
 *         Parameter.of("eta", new Range.LogUniform(1e-3, 3e-2)));
 * }</pre>
 *
 * @param parameters the parameters; a condition names one that stands before
 */
public record AdapterSpace(List<Parameter> parameters) {
    public AdapterSpace {
        parameters = List.copyOf(parameters);
        Map<String, Parameter> before = new LinkedHashMap<>();
        for (Parameter parameter : parameters) {
            parameter.condition().ifPresent(condition -> check(parameter, condition, before));
            if (before.put(parameter.name(), parameter) != null) {
                throw new InvalidInputException("the parameter `" + parameter.name() + "` is there twice");
            }
        }
        if (parameters.isEmpty()) {
            throw new InvalidInputException("the space has no parameters; there is nothing to try");
        }
    }

    /** Returns a space of these parameters. */
    public static AdapterSpace of(Parameter... parameters) {
        return new AdapterSpace(List.of(parameters));
    }

    /** Returns the parameters that have more than one value. */
    public List<Parameter> varied() {
        return parameters.stream()
                .filter(parameter -> !parameter.range().isFixed())
                .toList();
    }

    /** Returns the value of every parameter that exists, given one for each, whether it exists or not. */
    public ParameterValues applyConditions(Map<String, Object> all) {
        Map<String, Object> existing = new LinkedHashMap<>();
        for (Parameter parameter : parameters) {
            Object value = all.get(parameter.name());
            if (value == null) {
                throw new IllegalStateException("no value for " + parameter.name());
            }
            ParameterValues sofar = new ParameterValues(existing);
            if (parameter.condition().map(condition -> condition.holds(sofar)).orElse(true)) {
                existing.put(parameter.name(), value);
            }
        }
        return new ParameterValues(existing);
    }

    /**
     * Returns the number of points of a grid, those that conditions make equal counted apart.
     *
     * @param points points along a continuous range, and most along a range of whole numbers
     */
    public double gridSize(int points) {
        return varied().stream()
                .mapToDouble(parameter -> values(parameter.range(), points))
                .reduce(1, (a, b) -> a * b);
    }

    private static double values(Range range, int points) {
        if (range instanceof Range.Choice choice) {
            return choice.values().size();
        }
        return range instanceof Range.Integers whole ? Math.min(points, 1.0 + whole.high() - whole.low()) : points;
    }

    private static void check(Parameter parameter, Condition condition, Map<String, Parameter> before) {
        Parameter other = before.get(condition.parameter());
        if (other == null) {
            throw new InvalidInputException(
                    "`" + parameter.name() + "` depends on `" + JsonFiles.excerpt(condition.parameter())
                            + "`, which must stand before it; before it are " + before.keySet());
        }
        for (Object value : condition.values()) {
            if (!(other.range() instanceof Range.Choice) || !other.range().contains(value)) {
                throw new InvalidInputException("`" + parameter.name() + "` depends on `" + condition.parameter()
                        + "` being `" + JsonFiles.excerpt(value.toString()) + "`, which is none of its choices: "
                        + JsonFiles.excerpt(SpaceJson.json(other.range()).toString()));
            }
        }
    }
}
