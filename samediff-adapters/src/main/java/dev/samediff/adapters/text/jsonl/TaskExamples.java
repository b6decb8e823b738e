package dev.samediff.adapters.text.jsonl;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Examples of tasks, from JSONL lines, or from tables (`.csv`) with a header. Classes are
 * read by {@link LabelledTexts}, tags by {@link TaggedTexts}, prompts with responses by {@link JsonlExamples}.
 *
 * <table>
 *   <caption>Columns, with other names that are known</caption>
 *   <tr><td>{@link #scored}</td><td>{@code text}, {@code score} (label)</td></tr>
 *   <tr><td>{@link #groups}</td><td>{@code text_a} (sentence1, anchor), {@code text_b} (sentence2, positive), and if they are there
 *       {@code score} (label, similarity) or {@code negative}</td></tr>
 *   <tr><td>{@link #preferences}</td><td>{@code prompt}, {@code chosen}, {@code rejected}</td></tr>
 * </table>
 */
public final class TaskExamples {
    private static final String[] FIRST = {"text_a", "sentence1", "anchor"};
    private static final String[] SECOND = {"text_b", "sentence2", "positive"};
    private static final String[] SCORE = {"score", "label", "similarity"};
    private static final String NEGATIVE = "negative";

    private TaskExamples() {}

    /** Turns a row into an example. */
    private interface Parser<T> {
        T parse(ObjectNode row) throws BrokenLine;
    }

    private static <T> List<T> read(Path file, Parser<T> parser) {
        List<T> examples = new ArrayList<>();
        ExampleRows.read(file, row -> examples.add(parsed(row, parser)));
        return examples;
    }

    /** A row of which an example refuses something is a broken line, with its number. */
    private static <T> T parsed(ObjectNode row, Parser<T> parser) throws BrokenLine {
        try {
            return parser.parse(row);
        } catch (InvalidInputException e) {
            throw new BrokenLine(String.valueOf(e.getMessage()), row.toString(), e);
        }
    }

    /**
     * Reads texts with numbers, for regression.
     *
     * @throws InvalidInputException that names file and line of what cannot be used
     */
    public static List<ScoredText> scored(Path file) {
        return read(
                file, row -> new ScoredText(ExampleRows.text(row, "text"), ExampleRows.number(row, "score", "label")));
    }

    /**
     * Reads pairs of texts, pairs with scores, or triplets with a negative; the first row says which.
     *
     * @throws InvalidInputException that names file and line of what cannot be used
     */
    public static List<TextGroup> groups(Path file) {
        List<TextGroup> groups = new ArrayList<>();
        return read(file, row -> {
            TextGroup group = group(row);
            groups.add(group);
            TextGroup first = groups.get(0);
            if (group.texts().size() != first.texts().size()
                    || Double.isNaN(group.score()) != Double.isNaN(first.score())) {
                throw new BrokenLine(
                        "is " + kind(group) + ", the first row " + kind(first) + "; give all rows the same columns");
            }
            return group;
        });
    }

    private static TextGroup group(ObjectNode row) throws BrokenLine {
        String first = ExampleRows.text(row, FIRST);
        String second = ExampleRows.text(row, SECOND);
        if (row.has(NEGATIVE)) {
            return TextGroup.of(first, second, ExampleRows.text(row, NEGATIVE));
        }
        for (String name : SCORE) {
            if (row.has(name)) {
                return TextGroup.scored(first, second, ExampleRows.number(row, name));
            }
        }
        return TextGroup.of(first, second);
    }

    private static String kind(TextGroup group) {
        return group.texts().size() == 3 ? "a triplet" : Double.isNaN(group.score()) ? "a pair" : "a pair with a score";
    }

    /**
     * Reads prompts with a better and a worse answer.
     *
     * @throws InvalidInputException that names file and line of what cannot be used
     */
    public static List<PreferenceExample> preferences(Path file) {
        return read(
                file,
                row -> new PreferenceExample(
                        JsonlLines.string(row, ExampleRows.key(row, "prompt")),
                        ExampleRows.text(row, "chosen"),
                        ExampleRows.text(row, "rejected")));
    }
}
