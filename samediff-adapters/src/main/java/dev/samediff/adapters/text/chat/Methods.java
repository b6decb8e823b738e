package dev.samediff.adapters.text.chat;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Methods that Python's strings, lists and maps have in templates. */
final class Methods {
    private Methods() {}

    static Object call(Run run, Object value, String name, List<Object> arguments) {
        run.step();
        Object result = value instanceof String text
                ? ofText(run, text, name, arguments)
                : value instanceof Map<?, ?> map ? ofMap(map, name, arguments) : null;
        if (result == null) {
            throw new InvalidInputException("the chat template calls `" + name + "` of " + Values.kind(value)
                    + ", which this library does not know");
        }
        return result;
    }

    private static @Nullable Object ofMap(Map<?, ?> map, String name, List<Object> arguments) {
        return switch (name) {
            case "get" -> {
                Object found = Values.ofKey(map, argument(arguments, 0, name));
                yield found != Special.UNDEFINED ? found : arguments.size() > 1 ? arguments.get(1) : Special.NONE;
            }
            case "keys" -> new ArrayList<Object>(map.keySet());
            case "values" -> new ArrayList<Object>(map.values());
            case "items" -> items(map);
            default -> null;
        };
    }

    static List<Object> items(Map<?, ?> map) {
        List<Object> items = new ArrayList<>();
        map.forEach((key, value) -> items.add(List.of(key, value)));
        return items;
    }

    private static @Nullable Object ofText(Run run, String text, String name, List<Object> arguments) {
        run.grow(text.length());
        return switch (name) {
            case "strip" -> stripped(run, text, arguments, true, true);
            case "lstrip" -> stripped(run, text, arguments, true, false);
            case "rstrip" -> stripped(run, text, arguments, false, true);
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "capitalize" -> capitalized(text);
            case "title" -> titled(text);
            case "startswith" -> any(run, arguments, name, text::startsWith);
            case "endswith" -> any(run, arguments, name, text::endsWith);
            case "find" -> (long) text.indexOf(string(arguments, 0, name));
            case "count" -> occurrences(text, string(arguments, 0, name));
            case "removeprefix" ->
                text.startsWith(string(arguments, 0, name))
                        ? text.substring(string(arguments, 0, name).length())
                        : text;
            case "removesuffix" ->
                text.endsWith(string(arguments, 0, name))
                        ? text.substring(
                                0, text.length() - string(arguments, 0, name).length())
                        : text;
            case "isdigit" -> !text.isEmpty() && text.codePoints().allMatch(Character::isDigit);
            case "isspace" -> !text.isEmpty() && text.isBlank();
            case "splitlines" -> new ArrayList<Object>(text.lines().toList());
            case "split" -> split(run, text, arguments);
            case "replace" ->
                replaced(
                        run,
                        text,
                        string(arguments, 0, name),
                        string(arguments, 1, name),
                        arguments.size() > 2 ? Values.whole(arguments.get(2)) : -1);
            case "join" -> joined(run, text, Values.list(argument(arguments, 0, name)));
            default -> null;
        };
    }

    private static boolean any(
            Run run, List<Object> arguments, String name, java.util.function.Predicate<String> matches) {
        Object given = argument(arguments, 0, name);
        return given instanceof String
                ? matches.test((String) given)
                : Values.list(given).stream().anyMatch(one -> matches.test(Values.text(run, one)));
    }

    static String stripped(Run run, String text, List<Object> arguments, boolean left, boolean right) {
        String characters =
                arguments.isEmpty() || arguments.get(0) == Special.NONE ? "" : Values.text(run, arguments.get(0));
        int begin = 0;
        int end = text.length();
        while (left && begin < end && isStripped(text.charAt(begin), characters)) {
            begin++;
        }
        while (right && end > begin && isStripped(text.charAt(end - 1), characters)) {
            end--;
        }
        return text.substring(begin, end);
    }

    private static boolean isStripped(char c, String characters) {
        return characters.isEmpty()
                ? Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085'
                : characters.indexOf(c) >= 0;
    }

    static String capitalized(String text) {
        int first = text.isEmpty() ? 0 : text.offsetByCodePoints(0, 1);
        return text.substring(0, first).toUpperCase(Locale.ROOT)
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    static String titled(String text) {
        StringBuilder result = new StringBuilder();
        boolean begins = true;
        for (char c : text.toCharArray()) {
            result.append(begins ? Character.toUpperCase(c) : Character.toLowerCase(c));
            begins = !Character.isLetter(c);
        }
        return result.toString();
    }

    private static long occurrences(String text, String part) {
        if (part.isEmpty()) {
            return text.length() + 1L;
        }
        long count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
            count++;
        }
        return count;
    }

    static String replaced(Run run, String text, String from, String to, long most) {
        long count = occurrences(text, from);
        run.grow(text.length() + count * to.length());
        if (most < 0) {
            return text.replace(from, to);
        }
        StringBuilder result = new StringBuilder();
        int at = 0;
        for (long done = 0; done < most && !from.isEmpty(); done++) {
            int next = text.indexOf(from, at);
            if (next < 0) {
                break;
            }
            result.append(text, at, next).append(to);
            at = next + from.length();
        }
        return result.append(text.substring(at)).toString();
    }

    static String joined(Run run, String separator, List<Object> parts) {
        StringBuilder result = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            String part = Values.text(run, parts.get(i));
            run.grow((long) part.length() + separator.length());
            result.append(i == 0 ? "" : separator).append(part);
        }
        return result.toString();
    }

    private static List<Object> split(Run run, String text, List<Object> arguments) {
        List<Object> parts = new ArrayList<>();
        long most = arguments.size() > 1 ? Values.whole(arguments.get(1)) : -1;
        if (arguments.isEmpty() || arguments.get(0) == Special.NONE) {
            for (String word : text.strip().split("\\s+", most < 0 ? 0 : (int) Math.min(most + 1, Integer.MAX_VALUE))) {
                if (!word.isEmpty()) {
                    parts.add(word);
                }
            }
            return parts;
        }
        String separator = Values.text(run, arguments.get(0));
        if (separator.isEmpty()) {
            throw new InvalidInputException("the chat template splits a text at an empty one");
        }
        int at = 0;
        for (int next = text.indexOf(separator); next >= 0 && most != 0; next = text.indexOf(separator, at)) {
            parts.add(text.substring(at, next));
            at = next + separator.length();
            most--;
        }
        parts.add(text.substring(at));
        return parts;
    }

    static Object argument(List<Object> arguments, int index, String name) {
        if (index >= arguments.size()) {
            throw new InvalidInputException("the chat template calls `" + name + "` with " + arguments.size()
                    + " values; expected " + (index + 1));
        }
        return arguments.get(index);
    }

    static String string(List<Object> arguments, int index, String name) {
        Object value = argument(arguments, index, name);
        if (!(value instanceof String text)) {
            throw new InvalidInputException(
                    "the chat template calls `" + name + "` with " + Values.kind(value) + "; expected a string");
        }
        return text;
    }
}
