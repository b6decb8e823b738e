package dev.samediff.adapters.text.chat;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** Filters ({@code value | name(...)}) and tests ({@code value is name}). */
final class Filters {
    /** Filters that take a string apart. */
    private static final Set<String> LISTING = Set.of("list", "reverse", "first", "last", "unique", "join", "map");

    private Filters() {}

    static Object filter(Run run, String name, Object value, List<Object> arguments, Map<String, Object> named) {
        run.step();
        run.grow(LISTING.contains(name) ? Operators.sizeAsList(value) : Operators.size(value));
        return switch (name) {
            case "trim" -> Methods.stripped(run, Values.text(run, value), arguments, true, true);
            case "length", "count" -> (long) Values.length(value);
            case "tojson" ->
                Json.of(
                        run,
                        value,
                        named.getOrDefault("indent", arguments.isEmpty() ? Special.NONE : arguments.get(0)));
            case "upper" -> Values.text(run, value).toUpperCase(Locale.ROOT);
            case "lower" -> Values.text(run, value).toLowerCase(Locale.ROOT);
            case "capitalize" -> Methods.capitalized(Values.text(run, value));
            case "title" -> Methods.titled(Values.text(run, value));
            case "string", "safe" -> Values.text(run, value);
            case "int" -> toInt(value);
            case "float" -> toFloat(run, value);
            case "abs" ->
                value instanceof Long number ? (Object) Math.abs(number) : (Object) Math.abs(Values.number(value));
            case "default", "d" -> otherwise(value, arguments, named);
            case "first" -> Values.member(Values.list(value), 0L);
            case "last" -> Values.member(Values.list(value), -1L);
            case "list" -> Values.list(value);
            case "reverse" -> Values.slice(value, Special.NONE, Special.NONE, -1L);
            case "unique" -> unique(run, Values.list(value));
            case "items" -> Methods.items(map(value));
            case "join" ->
                Methods.joined(run, arguments.isEmpty() ? "" : Values.text(run, arguments.get(0)), Values.list(value));
            case "replace" ->
                Methods.replaced(
                        run,
                        Values.text(run, value),
                        Methods.string(arguments, 0, name),
                        Methods.string(arguments, 1, name),
                        arguments.size() > 2 ? Values.whole(arguments.get(2)) : -1);
            case "indent" -> indented(run, Values.text(run, value), arguments, named);
            case "map" -> mapped(run, Values.list(value), arguments, named);
            case "select" -> chosen(value, one -> test(run, arguments, 0, one));
            case "reject" -> chosen(value, one -> !test(run, arguments, 0, one));
            case "selectattr" -> chosen(value, one -> test(run, arguments, 1, attribute(one, arguments)));
            case "rejectattr" -> chosen(value, one -> !test(run, arguments, 1, attribute(one, arguments)));
            default ->
                throw new InvalidInputException(
                        "the chat template uses the filter `" + name + "`, which this library does not know");
        };
    }

    private static List<Object> unique(Run run, List<Object> values) {
        List<Object> result = new ArrayList<>();
        for (Object value : values) {
            if (result.stream().noneMatch(one -> Values.equal(run, one, value))) {
                result.add(value);
            }
        }
        return result;
    }

    private static Object otherwise(Object value, List<Object> arguments, Map<String, Object> named) {
        boolean falseToo =
                Values.isTrue(named.getOrDefault("boolean", arguments.size() > 1 ? arguments.get(1) : Boolean.FALSE));
        boolean missing = value == Special.UNDEFINED || (falseToo && !Values.isTrue(value));
        return missing ? (arguments.isEmpty() ? "" : arguments.get(0)) : value;
    }

    private static Object toFloat(Run run, Object value) {
        try {
            return Double.parseDouble(Values.text(run, value).strip());
        } catch (NumberFormatException e) {
            return 0.0;
        }
    }

    private static Object toInt(Object value) {
        try {
            return value instanceof String text
                    ? (Object) Long.parseLong(text.strip())
                    : (Object) (long) Values.number(value);
        } catch (NumberFormatException e) {
            return 0L;
        }
    }

    private static Map<?, ?> map(Object value) {
        if (value instanceof Map<?, ?> map) {
            return map;
        }
        throw new InvalidInputException("the chat template takes the items of " + Values.kind(value));
    }

    private static String indented(Run run, String text, List<Object> arguments, Map<String, Object> named) {
        Object width = named.getOrDefault("width", arguments.isEmpty() ? (Object) 4L : arguments.get(0));
        boolean first =
                Values.isTrue(named.getOrDefault("first", arguments.size() > 1 ? arguments.get(1) : Boolean.FALSE));
        String blanks;
        if (width instanceof String given) {
            blanks = given;
        } else {
            run.grow(Values.whole(width));
            blanks = " ".repeat((int) Values.whole(width));
        }
        String[] lines = text.split("\n", -1);
        run.grow((long) lines.length * blanks.length());
        for (int i = first ? 0 : 1; i < lines.length; i++) {
            lines[i] = lines[i].isEmpty() ? "" : blanks + lines[i];
        }
        return String.join("\n", lines);
    }

    private static Object mapped(Run run, List<Object> values, List<Object> arguments, Map<String, Object> named) {
        List<Object> results = new ArrayList<>();
        Object attribute = named.get("attribute");
        for (Object value : values) {
            results.add(
                    attribute != null
                            ? Values.member(value, attribute)
                            : filter(
                                    run,
                                    Methods.string(arguments, 0, "map"),
                                    value,
                                    arguments.subList(1, arguments.size()),
                                    named));
        }
        return results;
    }

    private static Object attribute(Object value, List<Object> arguments) {
        return Values.member(value, Methods.argument(arguments, 0, "selectattr"));
    }

    private static List<Object> chosen(Object value, Predicate<Object> wanted) {
        List<Object> result = new ArrayList<>();
        for (Object one : Values.list(value)) {
            if (wanted.test(one)) {
                result.add(one);
            }
        }
        return result;
    }

    /** The test that the arguments name from a place on; truth if they name none. */
    private static boolean test(Run run, List<Object> arguments, int from, Object value) {
        return arguments.size() <= from
                ? Values.isTrue(value)
                : test(
                        run,
                        Methods.string(arguments, from, "select"),
                        value,
                        arguments.subList(from + 1, arguments.size()));
    }

    static boolean test(Run run, String name, Object value, List<Object> arguments) {
        run.step();
        return switch (name) {
            case "defined" -> value != Special.UNDEFINED;
            case "undefined" -> value == Special.UNDEFINED;
            case "none" -> value == Special.NONE;
            case "string" -> value instanceof String;
            case "number" -> value instanceof Number || value instanceof Boolean;
            case "integer" -> value instanceof Long;
            case "float" -> value instanceof Double;
            case "boolean" -> value instanceof Boolean;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "mapping" -> value instanceof Map;
            case "sequence", "iterable" -> value instanceof List || value instanceof Map || value instanceof String;
            case "callable" -> value instanceof Parts.Callable;
            case "odd" -> Math.floorMod(Values.whole(value), 2L) == 1;
            case "even" -> Math.floorMod(Values.whole(value), 2L) == 0;
            case "divisibleby" -> {
                long divisor = Values.whole(Methods.argument(arguments, 0, name));
                yield divisor != 0 && Values.whole(value) % divisor == 0;
            }
            case "equalto", "eq", "sameas", "==" -> Values.equal(run, value, Methods.argument(arguments, 0, name));
            case "ne", "!=" -> !Values.equal(run, value, Methods.argument(arguments, 0, name));
            case "in" -> Values.contains(run, Methods.argument(arguments, 0, name), value);
            case "gt", "greaterthan", ">" -> Values.compare(value, Methods.argument(arguments, 0, name)) > 0;
            case "lt", "lessthan", "<" -> Values.compare(value, Methods.argument(arguments, 0, name)) < 0;
            default ->
                throw new InvalidInputException(
                        "the chat template uses the test `" + name + "`, which this library does not know");
        };
    }
}
