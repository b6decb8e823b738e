package dev.samediff.samples.intents;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.LabelledTexts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

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
            Path file = folder.resolve("data_full.json");
            LabelledTexts train = LabelledTexts.readPart(file, "train");
            return IntentData.of(name, train, LabelledTexts.readPart(file, "test", train.classes()));
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
}
