package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.Optional;

/**
 * Which module paths are meant, by PEFT's rules: a list of names, each of which matches a path that equals it or ends
 * with {@code "." + name}; or one regular expression, as Python reads it, that must match the whole path.
 *
 * @param names the list; empty if there is a regular expression
 * @param regex the regular expression
 */
public record ModuleMatch(List<String> names, Optional<String> regex) {
    public ModuleMatch {
        names = List.copyOf(names);
        if (names.isEmpty() == regex.isEmpty()) {
            throw new InvalidInputException("module names " + names + " and "
                    + regex.map(r -> "the regular expression `" + r + "`").orElse("no regular expression")
                    + ": give either at least one name or one regular expression");
        }
        if (names.stream().anyMatch(String::isBlank)) {
            throw new InvalidInputException("a module name in " + names + " is blank; leave it out");
        }
        regex.ifPresent(PathPattern::compile);
    }

    /** Returns a match by names. */
    public static ModuleMatch names(List<String> names) {
        return new ModuleMatch(names, Optional.empty());
    }

    /** Returns a match of the whole path with a regular expression. */
    public static ModuleMatch regex(String regex) {
        return new ModuleMatch(List.of(), Optional.of(regex));
    }

    /** Returns whether this means the module. */
    public boolean matches(String module) {
        return regex.map(r -> PathPattern.compile(r).matches(module))
                .orElseGet(() -> names.stream().anyMatch(name -> matches(name, module)));
    }

    static boolean matches(String name, String module) {
        return module.equals(name) || module.endsWith("." + name);
    }
}
