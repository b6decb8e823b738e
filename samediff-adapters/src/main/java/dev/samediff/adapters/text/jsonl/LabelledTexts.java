package dev.samediff.adapters.text.jsonl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.table.CsvRows;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Texts with classes, read from JSONL lines {@code {"text": "...", "label": "refund"}} or {@code {"text": "...", "label":
 * 3}}, or from a table ({@code .csv}) with the columns {@code text} and {@code label} (or {@code category}, as banking77 has it, or {@code
 * intent}), whose labels are names; or from a part of a JSON file {@code {"train": [["text", "class"], ...], ...}}, as clinc150 has it.
 *
 * @param classes names of the classes; a label is an index into them
 * @param examples the texts
 */
public record LabelledTexts(List<String> classes, List<LabelledText> examples) {
    /** Every number up to the highest is a class, and a column of the classifier. */
    private static final int HIGHEST = 99_999;

    public LabelledTexts {
        classes = List.copyOf(classes);
        examples = List.copyOf(examples);
    }

    /** Reads training data: names are sorted, numbers n stand for classes 0 to the highest n. */
    public static LabelledTexts read(Path file) {
        List<Row> rows = rows(file);
        if (rows.stream().allMatch(Row::numeric)) {
            int highest = rows.stream()
                    .mapToInt(row -> Integer.parseInt(row.label))
                    .max()
                    .orElse(0);
            return of(
                    rows,
                    IntStream.rangeClosed(0, highest).mapToObj(String::valueOf).toList(),
                    file);
        }
        return of(
                rows, List.copyOf(rows.stream().map(Row::label).collect(Collectors.toCollection(TreeSet::new))), file);
    }

    /** Reads further data with the classes of the training data. */
    public static LabelledTexts read(Path file, List<String> classes) {
        return of(rows(file), classes, file);
    }

    /**
     * Reads a part of a JSON file, as training data.
     *
     * @param part its key, such as {@code train}
     */
    public static LabelledTexts readPart(Path file, String part) {
        List<Row> rows = part(file, part);
        return of(
                rows, List.copyOf(rows.stream().map(Row::label).collect(Collectors.toCollection(TreeSet::new))), file);
    }

    /** Reads a part of a JSON file with the classes of the training data. */
    public static LabelledTexts readPart(Path file, String part, List<String> classes) {
        return of(part(file, part), classes, file);
    }

    private static List<Row> part(Path file, String part) {
        JsonNode json = JsonFiles.object(file, "a JSON object of parts, each an array of [text, class]");
        JsonNode pairs = json.get(part);
        if (pairs == null || !pairs.isArray() || pairs.isEmpty()) {
            List<String> parts = new ArrayList<>();
            json.fieldNames().forEachRemaining(parts::add);
            throw new InvalidInputException(file + " has no part `" + part + "` with examples; its parts are "
                    + JsonFiles.excerpt(parts.toString()));
        }
        List<Row> rows = new ArrayList<>();
        for (JsonNode pair : pairs) {
            if (!pair.isArray()
                    || pair.size() != 2
                    || !pair.get(0).isTextual()
                    || !pair.get(1).isTextual()) {
                throw new InvalidInputException(file + ": example " + rows.size() + " of `" + part + "` is "
                        + JsonFiles.excerpt(pair.toString()) + ", expected [text, class]");
            }
            rows.add(new Row(pair.get(0).textValue(), pair.get(1).textValue(), false));
        }
        return rows;
    }

    private static LabelledTexts of(List<Row> rows, List<String> classes, Path file) {
        Map<String, Integer> indices =
                IntStream.range(0, classes.size()).boxed().collect(Collectors.toMap(classes::get, Function.identity()));
        List<LabelledText> examples = new ArrayList<>(rows.size());
        for (Row row : rows) {
            Integer index = indices.get(row.label);
            if (index == null) {
                throw new InvalidInputException(file + ": the label `" + JsonFiles.excerpt(row.label)
                        + "` of the text `" + JsonFiles.excerpt(row.text) + "` is none of the " + classes.size()
                        + " classes: "
                        + JsonFiles.excerpt(String.join(", ", classes)));
            }
            examples.add(new LabelledText(row.text, index));
        }
        return new LabelledTexts(classes, examples);
    }

    private record Row(String text, String label, boolean numeric) {}

    private static List<Row> rows(Path file) {
        return CsvRows.isTable(file) ? table(file) : lines(file);
    }

    private static List<Row> table(Path file) {
        CsvRows table = CsvRows.read(file);
        int text = table.column(List.of("text", "sentence"));
        int label = table.column(List.of("label", "category", "intent"));
        List<Row> rows = new ArrayList<>();
        for (CsvRows.Row row : table.rows()) {
            if (row.fields().get(label).isEmpty()) {
                throw new InvalidInputException(
                        file + ", line " + row.line() + ": the label is empty, expected the name" + " of a class | "
                                + JsonFiles.excerpt(row.fields().get(text)));
            }
            rows.add(new Row(row.fields().get(text), row.fields().get(label), false));
        }
        return rows;
    }

    private static List<Row> lines(Path file) {
        List<Row> rows = new ArrayList<>();
        JsonlLines.read(file, BrokenLines.REFUSE, object -> {
            Row row = row(object);
            if (!rows.isEmpty() && rows.get(0).numeric != row.numeric) {
                throw new BrokenLine("`label` is " + (row.numeric ? "a number" : "a string")
                        + ", unlike those before; label all lines with names or all with numbers");
            }
            rows.add(row);
        });
        return rows;
    }

    private static Row row(ObjectNode object) throws BrokenLine {
        String text = JsonlLines.string(object, "text");
        JsonNode label = object.get("label");
        if (label != null && label.isTextual() && !label.textValue().isEmpty()) {
            return new Row(text, label.textValue(), false);
        }
        if (label != null
                && label.canConvertToInt()
                && label.isIntegralNumber()
                && label.intValue() >= 0
                && label.intValue() <= HIGHEST) {
            return new Row(text, label.asText(), true);
        }
        throw new BrokenLine("`label` is " + (label == null ? "missing" : JsonFiles.excerpt(label.toString()))
                + ", expected the name of a class or its number, from 0 to " + HIGHEST);
    }
}
