package dev.samediff.samples.analyse;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.samples.finetune.KeptAdapters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalInt;

/** Finds what is to be analysed: the adapters of a run's evaluations, or one adapter. */
public final class KeptSteps {
    private KeptSteps() {}

    /**
     * One adapter, or one model.
     *
     * @param run the name of the run it is of
     * @param step the updates made before; absent if nobody says it
     * @param path where it lies
     */
    public record Step(String run, OptionalInt step, Path path) {}

    /**
     * Finds the adapters of a word of the command line.
     *
     * @param word {@code NAME=PATH}, or {@code PATH}, of a run's folder, a folder of {@code step-N} folders, or an adapter's folder
     * @return the adapters by step; one without a step if no steps were kept
     * @throws InvalidInputException if there is no such folder
     * @throws IOException if it cannot be read
     */
    public static List<Step> of(String word) throws IOException {
        Step given = named(word);
        Path folder = given.path();
        if (!Files.isDirectory(folder)) {
            throw new InvalidInputException("there is no folder " + folder
                    + "; give the folder of a run of finetune, or of an adapter (PEFT's too), perhaps as NAME=PATH");
        }
        NavigableMap<Integer, Path> kept = KeptAdapters.in(folder.resolve(KeptAdapters.FOLDER));
        if (kept.isEmpty()) {
            kept = KeptAdapters.in(folder);
        }
        if (kept.isEmpty()) {
            Path own = folder.resolve("adapter");
            return List.of(new Step(given.run(), OptionalInt.empty(), Files.isDirectory(own) ? own : folder));
        }
        List<Step> steps = new ArrayList<>();
        for (Map.Entry<Integer, Path> each : kept.entrySet()) {
            steps.add(new Step(given.run(), OptionalInt.of(each.getKey()), each.getValue()));
        }
        return steps;
    }

    /** Takes the name of {@code NAME=PATH}, or makes one of the path: of {@code run1/adapter} it is {@code run1}. No step is looked for. */
    public static Step named(String word) {
        int equals = word.indexOf('=');
        if (equals > 0 && !Files.exists(Path.of(word))) {
            return new Step(word.substring(0, equals), OptionalInt.empty(), Path.of(word.substring(equals + 1)));
        }
        Path path = Path.of(word);
        Path telling = path.toAbsolutePath().normalize();
        while (telling.getParent() != null && (telling.endsWith("adapter") || telling.endsWith(KeptAdapters.FOLDER))) {
            telling = telling.getParent();
        }
        return new Step(String.valueOf(telling.getFileName()), OptionalInt.empty(), path);
    }
}
