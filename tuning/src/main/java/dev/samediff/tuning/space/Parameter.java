package dev.samediff.tuning.space;

import java.util.List;
import java.util.Optional;

/**
 * One thing a sweep varies or holds fixed.
 *
 * @param name its name
 * @param range its values
 * @param condition when it exists; absent means always
 */
public record Parameter(String name, Range range, Optional<Condition> condition) {
    /** Returns a parameter that always exists. */
    public static Parameter of(String name, Range range) {
        return new Parameter(name, range, Optional.empty());
    }

    /** Returns this parameter for some values of another one only. */
    public Parameter when(String parameter, Object... values) {
        return new Parameter(name, range, Optional.of(new Condition(parameter, List.of(values))));
    }
}
