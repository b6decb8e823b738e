package dev.samediff.adapters.text.chat;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What Python does with values: strings, {@code Long}, {@code Double}, {@code Boolean}, lists, maps with string keys, {@link Special}. */
final class Values {
    private Values() {}

    static boolean isTrue(Object value) {
        if (value instanceof Boolean flag) {
            return flag;
        }
        if (value instanceof Number number) {
            return number.doubleValue() != 0;
        }
        if (value instanceof CharSequence text) {
            return text.length() > 0;
        }
        if (value instanceof List<?> list) {
            return !list.isEmpty();
        }
        return value instanceof Map<?, ?> map ? !map.isEmpty() : !(value instanceof Special);
    }

    /** Python's str(). */
    static String text(Run run, Object value) {
        if (value instanceof String string) {
            return string;
        }
        StringBuilder out = new StringBuilder();
        if (value != Special.UNDEFINED) {
            show(run, value, out);
        }
        return out.toString();
    }

    /** Python's repr(). Lists may hold each other many times over, so each is counted. */
    private static void show(Run run, Object value, StringBuilder out) {
        run.step();
        if (value instanceof String string) {
            run.grow(string.length());
            String quote = string.contains("'") && !string.contains("\"") ? "\"" : "'";
            String escaped = string.replace("\\", "\\\\")
                    .replace("\n", "\\n")
                    .replace("\t", "\\t")
                    .replace("\r", "\\r");
            out.append(quote)
                    .append(quote.equals("'") ? escaped.replace("'", "\\'") : escaped)
                    .append(quote);
        } else if (value instanceof List<?> list) {
            out.append('[');
            for (int i = 0; i < list.size(); i++) {
                out.append(i == 0 ? "" : ", ");
                show(run, list.get(i), out);
            }
            out.append(']');
        } else if (value instanceof Map<?, ?> map) {
            out.append('{');
            String between = "";
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                out.append(between);
                show(run, entry.getKey(), out);
                out.append(": ");
                show(run, entry.getValue(), out);
                between = ", ";
            }
            out.append('}');
        } else if (value instanceof Boolean flag) {
            out.append(flag ? "True" : "False");
        } else if (value instanceof Number) {
            out.append(value);
        } else if (value instanceof Special) {
            out.append(value == Special.NONE ? "None" : "Undefined");
        } else {
            throw new InvalidInputException("the chat template writes " + kind(value) + ", which has no text");
        }
    }

    static String kind(Object value) {
        if (value instanceof Special special) {
            return special == Special.NONE ? "None" : "something undefined";
        }
        return value instanceof String
                ? "a string"
                : value instanceof Boolean
                        ? "a truth value"
                        : value instanceof Number
                                ? "a number"
                                : value instanceof List ? "a list" : value instanceof Map ? "a mapping" : "a function";
    }

    static boolean equal(Run run, Object a, Object b) {
        run.step();
        if (a instanceof Number && b instanceof Number) {
            return number(a) == number(b);
        }
        if (a instanceof List<?> one && b instanceof List<?> other) {
            boolean same = one.size() == other.size();
            for (int i = 0; same && i < one.size(); i++) {
                same = equal(run, one.get(i), other.get(i));
            }
            return same;
        }
        if (a instanceof Map<?, ?> one && b instanceof Map<?, ?> other) {
            boolean same = one.keySet().equals(other.keySet()); // keys are no lists
            for (Map.Entry<?, ?> entry : one.entrySet()) {
                same = same && equal(run, entry.getValue(), ofKey(other, entry.getKey()));
            }
            return same;
        }
        return a == b || (a instanceof String && a.equals(b)) || (a instanceof Boolean && a.equals(b));
    }

    /** The value of a key, which may be anything: a list is none, and is not hashed. */
    static Object ofKey(Map<?, ?> map, Object key) {
        Object found = key instanceof String || key instanceof Number || key instanceof Boolean ? map.get(key) : null;
        return found == null ? Special.UNDEFINED : found;
    }

    static double number(Object value) {
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        if (value instanceof Boolean flag) {
            return flag ? 1 : 0;
        }
        throw new InvalidInputException("the chat template calculates with " + kind(value) + "; expected a number");
    }

    static long whole(Object value) {
        if (value instanceof Long number) {
            return number;
        }
        if (value instanceof Boolean flag) {
            return flag ? 1 : 0;
        }
        throw new InvalidInputException("the chat template takes " + kind(value) + " for a whole number");
    }

    static int compare(Object a, Object b) {
        if (a instanceof String one && b instanceof String other) {
            return one.compareTo(other);
        }
        return Double.compare(number(a), number(b));
    }

    static boolean contains(Run run, Object container, Object item) {
        if (container instanceof String text) {
            return item instanceof String part && text.contains(part);
        }
        if (container instanceof Map<?, ?> map) {
            return ofKey(map, item) != Special.UNDEFINED;
        }
        return list(container).stream().anyMatch(one -> equal(run, one, item));
    }

    /** What a loop goes over. */
    @SuppressWarnings("unchecked") // lists hold values
    static List<Object> list(Object value) {
        if (value instanceof List<?> list) {
            return (List<Object>) list;
        }
        if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        }
        if (value instanceof String text) {
            return new ArrayList<>(
                    text.codePoints().mapToObj(Character::toString).toList());
        }
        if (value == Special.UNDEFINED) {
            return List.of();
        }
        throw new InvalidInputException("the chat template goes over " + kind(value) + "; expected a list");
    }

    /** {@code a[key]} or {@code a.key}. */
    static Object member(Object value, Object key) {
        if (value instanceof Parts.Namespace namespace) {
            return ofKey(namespace.values(), key);
        }
        if (value instanceof Map<?, ?> map) {
            return ofKey(map, key);
        }
        if (value instanceof Special) {
            throw new InvalidInputException("the chat template asks " + kind(value) + " for `"
                    + (key instanceof String ? key : kind(key)) + "`");
        }
        if (key instanceof Long index && (value instanceof List || value instanceof String)) {
            int size = length(value);
            long place = index < 0 ? index + size : index;
            if (place < 0 || place >= size) {
                return Special.UNDEFINED;
            }
            return value instanceof String text
                    ? Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) place)))
                    : list(value).get((int) place);
        }
        return Special.UNDEFINED;
    }

    static int length(Object value) {
        if (value instanceof String text) {
            return text.codePointCount(0, text.length());
        }
        if (value instanceof Map<?, ?> map) {
            return map.size();
        }
        return list(value).size();
    }

    /** {@code a[start:stop:step]}; what is not there is {@link Special#NONE}. */
    static Object slice(Object value, Object start, Object stop, Object step) {
        List<Object> all = list(value);
        long by = step == Special.NONE ? 1 : whole(step);
        if (by == 0) {
            throw new InvalidInputException("the chat template takes a part of a list in steps of 0");
        }
        long size = all.size();
        by = Math.max(-size - 1, Math.min(size + 1, by));
        long first = bound(start, by > 0 ? 0 : size - 1, size, by > 0 ? 0 : -1, by > 0 ? size : size - 1);
        long last = bound(stop, by > 0 ? size : -1, size, by > 0 ? 0 : -1, by > 0 ? size : size - 1);
        List<Object> part = new ArrayList<>();
        for (long i = first; by > 0 ? i < last : i > last; i += by) {
            part.add(all.get((int) i));
        }
        if (value instanceof String) {
            StringBuilder text = new StringBuilder();
            part.forEach(text::append);
            return text.toString();
        }
        return part;
    }

    private static long bound(Object given, long otherwise, long size, long least, long most) {
        if (given == Special.NONE) {
            return otherwise;
        }
        long place = whole(given);
        return Math.max(least, Math.min(most, place < 0 ? place + size : place));
    }
}
