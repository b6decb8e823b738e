package dev.samediff.tuning.space;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import dev.samediff.adapters.train.optimizer.Schedule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The parameters that a fine-tuning with adapters has. */
public enum AdapterParameter {
    /** The adapter method. */
    METHOD(Kind.TEXT),
    /** The adapters' rank. */
    RANK(Kind.WHOLE),
    /** Scaling is alpha / rank; without it the scaling is 1. */
    ALPHA(Kind.NUMBER),
    /** SORSA's weight of the regulariser; exists for SORSA only. */
    GAMMA(Kind.NUMBER),
    /** Peak learning rate. */
    ETA(Kind.NUMBER),
    /** Layers to adapt, as {@link TargetSelector#parse} reads them. */
    TARGETS(Kind.TEXT),
    /** Course of the learning rate. */
    SCHEDULE(Kind.TEXT),
    /** Examples per batch. */
    BATCH(Kind.WHOLE);

    private enum Kind {
        TEXT,
        WHOLE,
        NUMBER
    }

    private final Kind kind;

    AdapterParameter(Kind kind) {
        this.kind = kind;
    }

    /** Returns the name in spaces and files. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Checks that a space holds nothing but these parameters with values they can have, and makes gamma depend on the
     * method where several methods are tried.
     *
     * @throws InvalidInputException if not
     */
    public static AdapterSpace check(AdapterSpace space) {
        List<Parameter> checked = new ArrayList<>();
        for (Parameter parameter : space.parameters()) {
            Range range = named(parameter.name()).check(parameter.range());
            checked.add(new Parameter(parameter.name(), range, parameter.condition()));
        }
        checked.replaceAll(parameter -> conditioned(parameter, checked));
        return new AdapterSpace(checked);
    }

    private static AdapterParameter named(String name) {
        return Arrays.stream(values())
                .filter(parameter -> parameter.key().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("there is no parameter `" + JsonFiles.excerpt(name)
                        + "`; there are "
                        + Arrays.stream(values()).map(AdapterParameter::key).collect(Collectors.joining(", "))));
    }

    private Range check(Range range) {
        boolean choice = range instanceof Range.Choice;
        boolean fits = switch (kind) {
            case TEXT -> choice && all(range, String.class);
            case WHOLE -> choice ? all(range, Long.class) : range instanceof Range.Integers whole && whole.low() >= 1;
            case NUMBER -> choice ? all(range, Number.class) : !(range instanceof Range.Integers);
        };
        if (!fits) {
            throw new InvalidInputException("the parameter `" + key() + "` cannot be "
                    + JsonFiles.excerpt(SpaceJson.json(range).toString()) + "; expected "
                    + switch (kind) {
                        case TEXT -> "a choice of texts";
                        case WHOLE -> "a choice of whole numbers or a range `integer` from 1";
                        case NUMBER -> "a choice of numbers, `uniform` or `log_uniform`";
                    });
        }
        if (range instanceof Range.Choice values) {
            values.values().forEach(this::checkValue);
            return kind == Kind.NUMBER
                    ? new Range.Choice(values.values().stream()
                            .map(value -> (Object) ((Number) value).doubleValue())
                            .toList())
                    : range;
        }
        return range;
    }

    private static boolean all(Range range, Class<?> type) {
        return ((Range.Choice) range).values().stream().allMatch(type::isInstance);
    }

    private void checkValue(Object value) {
        switch (this) {
            case METHOD -> AdapterMethods.named(value.toString(), 1);
            case TARGETS -> TargetSelector.parse(value.toString());
            case SCHEDULE -> Schedule.named(value.toString());
            default -> {
                double number = ((Number) value).doubleValue();
                if (!(this == GAMMA ? number >= 0 : number > 0) || Double.isInfinite(number)) {
                    throw new InvalidInputException(
                            "the parameter `" + key() + "` cannot be " + value + "; expected a positive number");
                }
                if (kind == Kind.WHOLE && number > Integer.MAX_VALUE) {
                    throw new InvalidInputException("the parameter `" + key() + "` cannot be " + value
                            + "; expected a whole number up to " + Integer.MAX_VALUE);
                }
            }
        }
    }

    private static Parameter conditioned(Parameter parameter, List<Parameter> all) {
        if (!parameter.name().equals(GAMMA.key()) || parameter.condition().isPresent()) {
            return parameter;
        }
        for (Parameter method : all) {
            if (method.name().equals(METHOD.key())
                    && method.range() instanceof Range.Choice choice
                    && !choice.values().equals(List.of(Sorsa.NAME))) {
                if (!choice.contains(Sorsa.NAME)) {
                    throw new InvalidInputException(
                            "gamma belongs to " + Sorsa.NAME + ", which is not among the methods " + choice.values()
                                    + "; leave gamma out or add the method");
                }
                return parameter.when(METHOD.key(), Sorsa.NAME);
            }
        }
        return parameter;
    }
}
