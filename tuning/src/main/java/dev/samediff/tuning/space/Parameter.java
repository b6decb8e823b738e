package dev.samediff.tuning.space;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * One thing a sweep varies or holds fixed.
 *
 * @param name its name: letters, digits, {@code _ . -}, at most 64
 * @param range its values
 * @param condition when it exists; absent means always
 */
public record Parameter(String name, Range range, Optional<Condition> condition) {
    private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{N}_.-]{1,64}");

    public Parameter {
        if (!NAME.matcher(name).matches()) {
            throw new InvalidInputException("`" + JsonFiles.excerpt(name)
                    + "` is no name of a parameter; expected 1 to 64 letters, digits, _ . or -");
        }
    }

    /** Returns a parameter that always exists. */
    public static Parameter of(String name, Range range) {
        return new Parameter(name, range, Optional.empty());
    }

    /** Returns this parameter for some values of another one only. */
    public Parameter when(String parameter, Object... values) {
        return new Parameter(name, range, Optional.of(new Condition(parameter, List.of(values))));
    }
}
