package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Options of published trainings by name; docs/training.md says where each value is from. What a source does not say keeps the command's
 * default.
 */
final class Presets {
    private static final Map<String, Map<String, String>> ALL = new TreeMap<>();

    static {
        ALL.put(
                "sorsa-paper",
                options(
                        "method", "sorsa",
                        "rank", "128",
                        "gamma", "4e-4",
                        "regularizer", "repo",
                        "lr", "3e-5",
                        "weight-decay", "0",
                        "clip", "1",
                        "batch", "2",
                        "accumulate", "64",
                        "epochs", "1"));
        ALL.put(
                "olora-paper",
                options(
                        "method", "olora",
                        "rank", "32",
                        "alpha", "16",
                        "dropout", "0.05",
                        "lr", "3e-4",
                        "schedule", "linear",
                        "warmup", "100",
                        "weight-decay", "0",
                        "clip", "1",
                        "batch", "16",
                        "epochs", "1",
                        "max-length", "256"));
    }

    private Presets() {}

    private static Map<String, String> options(String... words) {
        Map<String, String> options = new LinkedHashMap<>();
        for (int i = 0; i < words.length; i += 2) {
            options.put(words[i], words[i + 1]);
        }
        return options;
    }

    /**
     * Returns the options of a preset.
     *
     * @throws InvalidInputException if there is none of this name
     */
    static Map<String, String> named(String name) {
        Map<String, String> preset = ALL.get(name.toLowerCase(Locale.ROOT));
        if (preset == null) {
            throw new InvalidInputException(
                    "--preset " + name + " is not known; there are " + String.join(", ", ALL.keySet()));
        }
        return preset;
    }
}
