package dev.samediff.samples.intents;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.text.jsonl.LabelledTexts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Intents from files as their authors publish them: {@code train.csv} and {@code test.csv} of banking77 (Casanueva et al.
 * 2020), {@code data_full.json} of clinc150 (Larson et al. 2019) without its out-of-scope part, or {@code train.jsonl} and
 * {@code test.jsonl} with {@code text} and {@code label}.
 */
public final class IntentFiles {
    private IntentFiles() {}

    /**
     * Reads a folder.
     *
     * @throws InvalidInputException if it holds none of the three forms
     */
    public static IntentData read(Path folder) throws IOException {
        String name = String.valueOf(folder.getFileName());
        if (Files.isRegularFile(folder.resolve("train.csv"))) {
            return read(name, folder, ".csv");
        }
        if (Files.isRegularFile(folder.resolve("data_full.json"))) {
            JsonNode json =
                    new ObjectMapper().readTree(folder.resolve("data_full.json").toFile());
            return of(name, json(json, "train"), json(json, "test"));
        }
        if (Files.isRegularFile(folder.resolve("train.jsonl"))) {
            return read(name, folder, ".jsonl");
        }
        throw new InvalidInputException("the folder " + folder + " has neither train.csv and test.csv (banking77), nor"
                + " data_full.json (clinc150), nor train.jsonl and test.jsonl");
    }

    private static IntentData read(String name, Path folder, String ending) {
        LabelledTexts train = LabelledTexts.read(folder.resolve("train" + ending));
        return IntentData.of(name, train, LabelledTexts.read(folder.resolve("test" + ending), train.classes()));
    }

    /** A sentence with the name of its intent. */
    private record Row(String text, String intent) {}

    private static IntentData of(String name, List<Row> train, List<Row> test) {
        List<String> classes =
                List.copyOf(train.stream().map(Row::intent).collect(Collectors.toCollection(TreeSet::new)));
        Map<String, Integer> indices = new HashMap<>();
        classes.forEach(intent -> indices.put(intent, indices.size()));
        return new IntentData(name, classes, labelled(train, indices), labelled(test, indices));
    }

    private static List<LabelledText> labelled(List<Row> rows, Map<String, Integer> indices) {
        return rows.stream()
                .map(row -> {
                    Integer label = indices.get(row.intent());
                    if (label == null) {
                        throw new InvalidInputException("the intent `" + row.intent() + "` of the sentence `"
                                + row.text() + "` occurs in the test data only; there are " + indices.keySet());
                    }
                    return new LabelledText(row.text(), label);
                })
                .toList();
    }

    private static List<Row> json(JsonNode json, String part) {
        List<Row> rows = new ArrayList<>();
        json.path(part)
                .forEach(pair ->
                        rows.add(new Row(pair.path(0).asText(), pair.path(1).asText())));
        return rows;
    }
}
