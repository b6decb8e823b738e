package dev.samediff.adapters.text.jsonl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.table.CsvRows;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows of a file of examples by the names of their columns: JSONL, or a table (`.csv`) with a header. A row that cannot be used ends the reading with a sentence that names file and line.
 */
final class ExampleRows {
    private ExampleRows() {}

    static void read(Path file, JsonlLines.Sink sink) {
        read(file, BrokenLines.REFUSE, sink);
    }

    /** Reads one row at a time. */
    static JsonlReport read(Path file, BrokenLines broken, JsonlLines.Sink sink) {
        return CsvRows.isTable(file) ? table(file, broken, sink) : JsonlLines.read(file, broken, sink);
    }

    private static JsonlReport table(Path file, BrokenLines broken, JsonlLines.Sink sink) {
        long[] counts = new long[3]; // lines, examples, skipped rows
        List<String> problems = new ArrayList<>();
        CsvRows.read(file, (names, row) -> {
            ObjectNode object = JsonNodeFactory.instance.objectNode();
            for (int i = 0; i < names.size(); i++) {
                object.put(names.get(i), row.fields().get(i));
            }
            counts[0] = row.line();
            try {
                sink.accept(object);
                counts[1]++;
            } catch (BrokenLine e) {
                String sentence = e.sentence(file.toString(), row.line(), String.join(",", row.fields()));
                if (broken == BrokenLines.REFUSE) {
                    throw new InvalidInputException(sentence, e);
                }
                counts[2]++;
                if (problems.size() < JsonlReport.KEPT_PROBLEMS) {
                    problems.add(sentence);
                }
            }
        });
        if (counts[1] == 0) {
            throw new InvalidInputException(
                    file + " holds no example: all " + counts[2] + " rows are broken, the first: " + problems.get(0));
        }
        return new JsonlReport(file, counts[0], counts[1], counts[2], problems);
    }

    /** The first of some keys that a row has, for columns that are called differently. */
    static String key(ObjectNode row, String... names) throws BrokenLine {
        for (String name : names) {
            if (row.has(name)) {
                return name;
            }
        }
        throw new BrokenLine("has no `" + String.join("` or `", names) + "`; its keys are "
                + JsonFiles.excerpt(JsonlLines.keys(row).toString()));
    }

    /** A text that is not blank. */
    static String text(ObjectNode row, String... names) throws BrokenLine {
        String key = key(row, names);
        String text = JsonlLines.string(row, key);
        if (text.isBlank()) {
            throw new BrokenLine("`" + key + "` is empty, expected a text");
        }
        return text;
    }

    /** A finite number, also as text. */
    static double number(ObjectNode row, String... names) throws BrokenLine {
        String key = key(row, names);
        JsonNode value = row.get(key);
        double number = Double.NaN;
        if (value.isNumber()) {
            number = value.doubleValue();
        } else if (value.isTextual()) {
            try {
                number = Double.parseDouble(value.textValue().strip());
            } catch (NumberFormatException e) {
                throw new BrokenLine(
                        "`" + key + "` is `" + JsonFiles.excerpt(value.textValue()) + "`, expected a number");
            }
        }
        if (!Double.isFinite(number)) {
            throw new BrokenLine(
                    "`" + key + "` is " + JsonFiles.excerpt(value.toString()) + ", expected a finite number");
        }
        return number;
    }
}
