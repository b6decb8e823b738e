package dev.samediff.tuning.arbiter;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.Range;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.arbiter.optimize.api.ParameterSpace;
import org.deeplearning4j.arbiter.optimize.parameter.FixedValue;
import org.deeplearning4j.arbiter.optimize.parameter.continuous.ContinuousParameterSpace;
import org.deeplearning4j.arbiter.optimize.parameter.discrete.DiscreteParameterSpace;
import org.deeplearning4j.arbiter.optimize.parameter.integer.IntegerParameterSpace;
import org.deeplearning4j.arbiter.optimize.serde.jackson.JsonMapper;
import org.nd4j.shade.jackson.core.type.TypeReference;
import org.nd4j.shade.jackson.databind.JsonNode;

/**
 * Spaces in Arbiter's own JSON, an object of its parameter spaces by name, for users who have such files. Conditions have no
 * form there; {@link dev.samediff.tuning.space.SpaceJson} keeps everything.
 */
public final class ArbiterJson {
    private static final TypeReference<LinkedHashMap<String, ParameterSpace<?>>> SPACES = new TypeReference<>() {};

    private ArbiterJson() {}

    /**
     * Returns a space in Arbiter's JSON.
     *
     * @throws InvalidInputException if a parameter has a condition
     */
    public static String write(AdapterSpace space) {
        Map<String, ParameterSpace<?>> spaces = new LinkedHashMap<>();
        for (Parameter parameter : space.parameters()) {
            if (parameter.condition().isPresent()) {
                throw new InvalidInputException("Arbiter's JSON has no form for the condition of `" + parameter.name()
                        + "`; use this project's own");
            }
            spaces.put(
                    parameter.name(),
                    parameter.range() instanceof Range.Choice choice && choice.isFixed()
                            ? new FixedValue<>(choice.values().get(0))
                            : ArbiterSpace.leaf(parameter.range()));
        }
        try {
            return JsonMapper.getMapper().writerFor(SPACES).writeValueAsString(spaces);
        } catch (IOException e) {
            throw new IllegalStateException("Arbiter cannot write " + spaces, e);
        }
    }

    /**
     * Reads Arbiter's JSON.
     *
     * @throws InvalidInputException if it is not, or has a kind of space that this project does not have
     */
    public static AdapterSpace read(String json) {
        try {
            Map<String, ParameterSpace<?>> spaces = JsonMapper.getMapper().readValue(json, SPACES);
            List<Parameter> parameters = new ArrayList<>();
            spaces.forEach((name, space) -> parameters.add(Parameter.of(name, range(name, space))));
            return new AdapterSpace(parameters);
        } catch (IOException e) {
            throw new InvalidInputException("this is not Arbiter's JSON: " + e.getMessage());
        }
    }

    private static Range range(String name, ParameterSpace<?> space) {
        if (space instanceof FixedValue<?> fixed) {
            return new Range.Choice(List.of(plain(fixed.getValue())));
        }
        if (space instanceof DiscreteParameterSpace<?> discrete) {
            List<Object> values = new ArrayList<>();
            discrete.setIndices(0);
            int count = discrete.numValues();
            for (int i = 0; i < count; i++) {
                values.add(plain(discrete.getValue(new double[] {(i + 0.5) / count})));
            }
            return new Range.Choice(values);
        }
        if (space instanceof IntegerParameterSpace integers) {
            return new Range.Integers(integers.getMin(), integers.getMax());
        }
        if (space instanceof ContinuousParameterSpace continuous) {
            return continuous(name, continuous);
        }
        throw new InvalidInputException(
                "`" + name + "` is a " + space.getClass().getSimpleName()
                        + "; known are FixedValue, DiscreteParameterSpace, IntegerParameterSpace and ContinuousParameterSpace");
    }

    private static Range continuous(String name, ContinuousParameterSpace space) {
        JsonNode distribution = JsonMapper.getMapper().valueToTree(space).findValue("distribution");
        String kind = distribution.path("distribution").asText();
        if (kind.startsWith("LogUniform")) {
            return new Range.LogUniform(
                    distribution.path("min").doubleValue(),
                    distribution.path("max").doubleValue());
        }
        if (kind.startsWith("Uniform")) {
            return new Range.Uniform(
                    distribution.path("lower").doubleValue(),
                    distribution.path("upper").doubleValue());
        }
        throw new InvalidInputException(
                "`" + name + "` has the distribution " + kind + "; known are the uniform and the log-uniform one");
    }

    private static Object plain(Object value) {
        return value instanceof Integer number ? (Object) number.longValue() : value;
    }
}
