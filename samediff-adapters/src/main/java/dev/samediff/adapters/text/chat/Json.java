package dev.samediff.adapters.text.chat;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.Map;

/** JSON as Python's {@code json.dumps(value, ensure_ascii=False, indent=...)} writes it. */
final class Json {
    private final Run run;
    private final int indent;
    private final StringBuilder out = new StringBuilder();

    private Json(Run run, int indent) {
        this.run = run;
        this.indent = indent;
    }

    static String of(Run run, Object value, Object indent) {
        int width = indent == Special.NONE ? -1 : (int) Math.max(0, Math.min(16, Values.whole(indent)));
        Json json = new Json(run, width);
        json.write(value, 0);
        return json.out.toString();
    }

    private void write(Object value, int depth) {
        run.step();
        if (value instanceof String text) {
            run.grow(text.length());
            quote(text);
        } else if (value instanceof Map<?, ?> map) {
            out.append('{');
            int count = 0;
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                separate(count++, depth + 1);
                write(Values.text(run, entry.getKey()), depth + 1);
                out.append(": ");
                write(entry.getValue(), depth + 1);
            }
            close(count, depth, '}');
        } else if (value instanceof List<?> list) {
            out.append('[');
            for (int i = 0; i < list.size(); i++) {
                separate(i, depth + 1);
                write(list.get(i), depth + 1);
            }
            close(list.size(), depth, ']');
        } else if (value == Special.NONE) {
            out.append("null");
        } else if (value instanceof Boolean || value instanceof Number) {
            out.append(value);
        } else {
            throw new InvalidInputException("the chat template writes " + Values.kind(value) + " as JSON");
        }
    }

    private void quote(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> out.append(c < ' ' ? String.format("\\u%04x", (int) c) : String.valueOf(c));
            }
        }
        out.append('"');
    }

    private void separate(int index, int depth) {
        out.append(index == 0 ? "" : indent < 0 ? ", " : ",");
        line(depth);
    }

    private void close(int count, int depth, char bracket) {
        if (count > 0) {
            line(depth);
        }
        out.append(bracket);
    }

    private void line(int depth) {
        if (indent >= 0) {
            run.grow((long) indent * depth);
            out.append('\n').append(" ".repeat(indent * depth));
        }
    }
}
