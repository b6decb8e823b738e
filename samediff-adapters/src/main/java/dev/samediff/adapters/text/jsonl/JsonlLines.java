package dev.samediff.adapters.text.jsonl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** One JSON object per line: reads a file line by line and hands the objects on. */
final class JsonlLines {
    /** Takes one object; throws {@link BrokenLine} if it cannot be used. */
    interface Sink {
        void accept(ObjectNode object) throws BrokenLine;
    }

    private JsonlLines() {}

    static JsonlReport read(Path file, BrokenLines broken, Sink sink) {
        if (!Files.isRegularFile(file)) {
            throw new InvalidInputException(file + (Files.exists(file) ? " is not a file" : " does not exist")
                    + "; expected a JSONL file, one JSON object per line");
        }
        long examples = 0;
        long skipped = 0;
        List<String> problems = new ArrayList<>();
        try (Utf8Lines lines = new Utf8Lines(file)) {
            String line = "";
            while (true) {
                try {
                    line = lines.next();
                    if (line == null) {
                        break;
                    }
                    if (!line.isBlank()) {
                        sink.accept(object(line));
                        examples++;
                    }
                } catch (BrokenLine e) {
                    String sentence = e.sentence(file.toString(), lines.number(), line == null ? "" : line);
                    if (broken == BrokenLines.REFUSE) {
                        throw new InvalidInputException(sentence, e);
                    }
                    skipped++;
                    if (problems.size() < JsonlReport.KEPT_PROBLEMS) {
                        problems.add(sentence);
                    }
                }
            }
            if (examples == 0) {
                throw new InvalidInputException(file + " holds no example: "
                        + (skipped == 0
                                ? "it is empty; expected one JSON object per line"
                                : "all " + skipped + " lines are broken, the first: " + problems.get(0)));
            }
            return new JsonlReport(file, lines.number(), examples, skipped, problems);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static ObjectNode object(String line) throws BrokenLine {
        JsonNode json;
        try {
            json = JsonFiles.STRICT.readTree(line);
        } catch (IOException e) {
            throw new BrokenLine(
                    "is not one JSON object (" + JsonFiles.reason(e) + "); expected one {...} per line", null, e);
        }
        if (json instanceof ObjectNode object) {
            return object;
        }
        throw new BrokenLine("is a JSON " + kind(json) + ", expected an object; JSONL has one {...} per line");
    }

    /** The string under {@code key}. */
    static String string(ObjectNode object, String key) throws BrokenLine {
        JsonNode value = object.get(key);
        if (value == null) {
            throw new BrokenLine("has no key `" + key + "`; its keys are "
                    + JsonFiles.excerpt(keys(object).toString()));
        }
        if (!value.isTextual()) {
            throw new BrokenLine("`" + key + "` is " + kind(value) + ", expected a string");
        }
        return value.textValue();
    }

    static String kind(JsonNode value) {
        return value.getNodeType().name().toLowerCase(java.util.Locale.ROOT);
    }

    static Set<String> keys(ObjectNode object) {
        Set<String> keys = new TreeSet<>();
        object.fieldNames().forEachRemaining(keys::add);
        return keys;
    }
}
