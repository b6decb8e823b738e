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
import java.util.Locale;
import java.util.TreeSet;

/**
 * Sentences of words with tags, such as {@code B-PER} and {@code O}: from JSONL lines {@code {"tokens": ["Ann", "left"], "tags":
 * ["B-PER", "O"]}} ({@code ner_tags} and {@code words} are known, too), or in the form of CoNLL: a word on each line, its tag in the
 * last column, columns separated by blanks or tabs, a blank line or one of {@code -DOCSTART-} between sentences.
 *
 * @param classes names of the tags; a label is an index into them
 * @param examples the sentences
 */
public record TaggedTexts(List<String> classes, List<TaggedWords> examples) {
    public TaggedTexts {
        classes = List.copyOf(classes);
        examples = List.copyOf(examples);
    }

    /** A sentence with the names of its tags. */
    private record Named(List<String> words, List<String> tags) {}

    /**
     * Reads training data; the tags' names are sorted.
     *
     * @throws InvalidInputException that names file and line of what cannot be used
     */
    public static TaggedTexts read(Path file) {
        List<Named> sentences = sentences(file);
        TreeSet<String> classes = new TreeSet<>();
        sentences.forEach(sentence -> classes.addAll(sentence.tags()));
        return of(sentences, List.copyOf(classes), file);
    }

    /** Reads further data with the tags of the training data. */
    public static TaggedTexts read(Path file, List<String> classes) {
        return of(sentences(file), classes, file);
    }

    private static TaggedTexts of(List<Named> sentences, List<String> classes, Path file) {
        List<TaggedWords> examples = new ArrayList<>();
        for (Named sentence : sentences) {
            for (String tag : sentence.tags()) {
                if (!classes.contains(tag)) {
                    throw new InvalidInputException(
                            file + ": the tag `" + JsonFiles.excerpt(tag) + "` in the sentence `"
                                    + JsonFiles.excerpt(String.join(" ", sentence.words())) + "` is none of the "
                                    + classes.size() + " classes: " + JsonFiles.excerpt(String.join(", ", classes)));
                }
            }
            examples.add(new TaggedWords(
                    sentence.words(),
                    sentence.tags().stream().map(classes::indexOf).toList()));
        }
        return new TaggedTexts(classes, examples);
    }

    private static List<Named> sentences(Path file) {
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        if (!name.endsWith(".jsonl") && !name.endsWith(".json")) {
            return conll(file);
        }
        List<Named> sentences = new ArrayList<>();
        JsonlLines.read(file, BrokenLines.REFUSE, row -> {
            List<String> words = strings(row, ExampleRows.key(row, "tokens", "words"));
            List<String> tags = strings(row, ExampleRows.key(row, "tags", "ner_tags"));
            if (words.isEmpty() || words.size() != tags.size()) {
                throw new BrokenLine("has " + words.size() + " words and " + tags.size()
                        + " tags, expected at least one word, and a tag for each");
            }
            sentences.add(new Named(words, tags));
        });
        return sentences;
    }

    private static List<String> strings(ObjectNode row, String key) throws BrokenLine {
        JsonNode array = row.get(key);
        List<String> strings = new ArrayList<>();
        for (JsonNode each : array.isArray() ? array : List.<JsonNode>of()) {
            if (!each.isTextual() || each.textValue().isEmpty()) {
                throw new BrokenLine("`" + key + "` holds " + JsonFiles.excerpt(each.toString())
                        + ", expected strings that are not empty; write tags by their names");
            }
            strings.add(each.textValue());
        }
        if (!array.isArray()) {
            throw new BrokenLine("`" + key + "` is " + JsonlLines.kind(array) + ", expected an array of strings");
        }
        return strings;
    }

    private static List<Named> conll(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new InvalidInputException(file + (Files.exists(file) ? " is not a file" : " does not exist")
                    + "; expected sentences with tags, as JSONL (.jsonl) or in the form of CoNLL");
        }
        List<Named> sentences = new ArrayList<>();
        try (Utf8Lines lines = new Utf8Lines(file)) {
            try {
                conll(lines, sentences);
            } catch (BrokenLine e) {
                throw new InvalidInputException(e.sentence(file.toString(), lines.number(), ""), e);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
        if (sentences.isEmpty()) {
            throw new InvalidInputException(file + " holds no sentence; expected a word and its tag on each line");
        }
        return sentences;
    }

    private static void conll(Utf8Lines lines, List<Named> sentences) throws IOException, BrokenLine {
        List<String> words = new ArrayList<>();
        List<String> tags = new ArrayList<>();
        int columns = 0;
        for (String line = lines.next(); ; line = lines.next()) {
            if (line == null || line.isBlank() || line.startsWith("-DOCSTART-")) {
                if (!words.isEmpty()) {
                    sentences.add(new Named(List.copyOf(words), List.copyOf(tags)));
                    words.clear();
                    tags.clear();
                }
                if (line == null) {
                    return;
                }
                continue;
            }
            String[] fields = line.strip().split("[ \t]+");
            if (fields.length < 2 || (columns > 0 && fields.length != columns)) {
                throw new BrokenLine(
                        "has " + fields.length + " columns, expected "
                                + (columns > 0 ? columns : "a word and its tag, 2 or more"),
                        line,
                        null);
            }
            columns = fields.length;
            words.add(fields[0]);
            tags.add(fields[fields.length - 1]);
        }
    }
}
