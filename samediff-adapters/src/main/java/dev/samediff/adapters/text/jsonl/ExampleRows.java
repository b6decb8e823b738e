package dev.samediff.adapters.text.jsonl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.table.CsvRows;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.nio.file.Path;

/**
 * Rows of a file of examples by the names of their columns: JSONL, or a table (`.csv`) with a header. A row that cannot be used ends the reading with a sentence that names file and line.
 */
final class ExampleRows {
    private ExampleRows() {}

    static void read(Path file, JsonlLines.Sink sink) {
        if (!CsvRows.isTable(file)) {
            JsonlLines.read(file, BrokenLines.REFUSE, sink);
            return;
        }
        CsvRows table = CsvRows.read(file);
        for (CsvRows.Row row : table.rows()) {
            ObjectNode object = JsonNodeFactory.instance.objectNode();
            for (int i = 0; i < table.names().size(); i++) {
                object.put(table.names().get(i), row.fields().get(i));
            }
            try {
                sink.accept(object);
            } catch (BrokenLine e) {
                throw new InvalidInputException(
                        e.sentence(file.toString(), row.line(), String.join(",", row.fields())), e);
            }
        }
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
