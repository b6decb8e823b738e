package dev.samediff.samples.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Options of a command in a file, one a line: the part of YAML that is {@code name: value}, with comments, quoted texts and lists like
 * {@code [a, b]}. Names are those of the command line without the dashes.
 */
final class OptionFile {
    private static final long LARGEST = 1 << 20;
    private static final Pattern LINE = Pattern.compile("([A-Za-z][A-Za-z0-9_-]*)\\s*:(?:\\s+(.*))?");
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./=+^$-]+");
    private static final Pattern QUOTED = Pattern.compile("(\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^']|'')*')\\s*(?:#.*)?");
    private static final ObjectMapper JSON = new ObjectMapper();

    private OptionFile() {}

    /**
     * Reads the options by name; those without a value are left out.
     *
     * @throws InvalidInputException that names file and line, if it is something else
     */
    static Map<String, String> read(Path file) throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) > LARGEST) {
            throw new InvalidInputException("--config " + file
                    + " is no file of options; give one with a line `name: value` for each option, such as the run.yaml"
                    + " that finetune leaves beside its results");
        }
        Map<String, String> options = new LinkedHashMap<>();
        List<String> lines = new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
                .lines()
                .toList();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).stripTrailing();
            String content = line.strip();
            if (content.isEmpty() || content.startsWith("#") || (i == 0 && content.equals("---"))) {
                continue;
            }
            String place = file + ", line " + (i + 1);
            Matcher parts = LINE.matcher(line);
            if (!parts.matches()) {
                throw new InvalidInputException(place + ": `" + content
                        + "` is no option; write `name: value`, lists as [a, b], nothing indented");
            }
            String name = parts.group(1).replace('_', '-');
            String value = value(parts.group(2) == null ? "" : parts.group(2).strip(), place);
            if (options.containsKey(name)) {
                throw new InvalidInputException(place + ": `" + name + "` is there twice; keep one");
            }
            options.put(name, value);
        }
        options.values().removeIf(String::isEmpty);
        return options;
    }

    /** Returns the text of a value; nothing for none. */
    private static String value(String text, String place) {
        if (text.startsWith("\"") || text.startsWith("'")) {
            Matcher quoted = QUOTED.matcher(text);
            if (!quoted.matches()) {
                throw new InvalidInputException(place + ": the quotation marks of " + text + " do not match");
            }
            return unquoted(quoted.group(1), place);
        }
        int comment = text.startsWith("#") ? 0 : text.indexOf(" #");
        String plain = comment < 0 ? text : text.substring(0, comment).strip();
        if (plain.startsWith("[") && plain.endsWith("]")) {
            List<String> items = new ArrayList<>();
            for (String item : plain.substring(1, plain.length() - 1).split(",", -1)) {
                items.add(value(item.strip(), place));
            }
            return String.join(",", items);
        }
        if (plain.startsWith("{") || plain.startsWith("|") || plain.startsWith(">") || plain.startsWith("&")) {
            throw new InvalidInputException(place + ": `" + plain
                    + "` is no simple value; write a text in quotation marks, a number, true, false,"
                    + " or a list like [a, b]");
        }
        return plain.equals("~") || plain.equals("null") ? "" : plain;
    }

    private static String unquoted(String quoted, String place) {
        if (quoted.startsWith("'")) {
            return quoted.substring(1, quoted.length() - 1).replace("''", "'");
        }
        try {
            return JSON.readValue(quoted, String.class);
        } catch (JsonProcessingException e) {
            throw new InvalidInputException(place + ": " + quoted + " has an escape that is unknown", e);
        }
    }

    /** Returns a line; an option without a value is a comment. */
    static String line(String name, String value) {
        return value.isEmpty() ? "# " + name + ":" : name + ": " + text(value);
    }

    private static String text(String value) {
        boolean plain = PLAIN.matcher(value).matches() && !value.equals("null");
        try {
            return plain ? value : JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
