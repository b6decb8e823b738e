package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.samples.finetune.RunFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The words of a command line with the options of {@code --config} and {@code --preset} behind them, where it gives no others. */
final class ConfiguredWords {
    private static final String RESUME = "--resume";
    private static final String OUT = "--out";
    private static final String FINETUNE = "finetune";

    /** Options of which one takes the place of the other. */
    private static final Set<String> LENGTH = Set.of("--steps", "--epochs");

    private ConfiguredWords() {}

    /**
     * Returns the words.
     *
     * @throws InvalidInputException if a file, a preset or a name in it is not known
     */
    static String[] of(CommandLine root, String... words) throws IOException {
        CommandLine command = Stream.of(words)
                .map(word -> root.getSubcommands().get(word))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
        if (command == null || command.getCommandSpec().findOption(ConfigOptions.CONFIG) == null) {
            return words;
        }
        CommandSpec spec = command.getCommandSpec();
        List<String> all = new ArrayList<>(List.of(words));
        if (all.contains(RESUME) && value(all, OUT).isEmpty()) {
            newestRun(Path.of(FolderOptions.RUNS), spec.name()).ifPresent(run -> all.add(OUT + "=" + run));
        }
        Map<String, String> options = new LinkedHashMap<>();
        Optional<Path> file = file(all);
        if (file.isPresent()) {
            options.putAll(checked(OptionFile.read(file.get()), spec, file.get()));
        }
        Optional<String> preset =
                value(all, ConfigOptions.PRESET).or(() -> Optional.ofNullable(options.get(ConfigOptions.PRESET)));
        if (preset.isPresent()) {
            Map<String, String> named = new LinkedHashMap<>(Presets.named(preset.get()));
            if (!command.getCommandName().equals(FINETUNE)) { // others count steps, so that all they train get as many
                named.keySet().removeIf(name -> name.equals("epochs") || spec.findOption("--" + name) == null);
            }
            merge(options, checked(named, spec, Path.of(preset.get())));
        }
        options.remove(ConfigOptions.PRESET);
        append(all, options, spec);
        return all.toArray(String[]::new);
    }

    /** A run that goes on has the options it began with, where no file is named. */
    private static Optional<Path> file(List<String> words) {
        Optional<Path> given = value(words, ConfigOptions.CONFIG).map(Path::of);
        if (given.isPresent() || !words.contains(RESUME)) {
            return given;
        }
        return value(words, OUT)
                .map(out -> new RunFolder(Path.of(out)).options())
                .filter(Files::isRegularFile);
    }

    /** Returns the newest run of a command, by the time in its name, that can go on: one with checkpoints, or with a journal. */
    static Optional<Path> newestRun(Path runs, String command) throws IOException {
        if (!Files.isDirectory(runs)) {
            return Optional.empty();
        }
        try (Stream<Path> folders = Files.list(runs)) {
            return folders.filter(run -> run.getFileName().toString().startsWith(command + "-"))
                    .filter(run -> hasCheckpoints(new RunFolder(run).checkpoints())
                            || Files.isRegularFile(run.resolve(SweepOutputOptions.JOURNAL)))
                    .max(Comparator.comparing(run -> run.getFileName().toString()));
        }
    }

    private static boolean hasCheckpoints(Path folder) {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.anyMatch(file -> file.getFileName().toString().startsWith("checkpoint-"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the value of an option among words, if it is there with one. */
    private static Optional<String> value(List<String> words, String name) {
        for (int i = 0; i < words.size(); i++) {
            if (words.get(i).startsWith(name + "=")) {
                return Optional.of(words.get(i).substring(name.length() + 1));
            }
            if (words.get(i).equals(name) && i + 1 < words.size()) {
                return Optional.of(words.get(i + 1));
            }
        }
        return Optional.empty();
    }

    private static Map<String, String> checked(Map<String, String> options, CommandSpec spec, Path source) {
        Map<String, String> checked = new LinkedHashMap<>();
        options.forEach((name, value) -> {
            OptionSpec option = spec.findOption("--" + name);
            if (option == null || option.usageHelp() || option.versionHelp() || name.equals("config")) {
                throw new InvalidInputException("`" + name + "` in " + source + " is no option of " + spec.name()
                        + "; did you mean `" + nearest(name, spec) + "`? (" + spec.qualifiedName()
                        + " --help lists what there is)");
            }
            if (option.arity().max() == 0 && !value.equalsIgnoreCase("true") && !value.equalsIgnoreCase("false")) {
                throw new InvalidInputException(
                        "`" + name + "` in " + source + " is `" + value + "`; it is a switch: give true or false");
            }
            if (checked.put(option.longestName(), value) != null) {
                throw new InvalidInputException("`" + name + "` is twice in " + source + "; keep one");
            }
        });
        return checked;
    }

    private static void merge(Map<String, String> options, Map<String, String> more) {
        boolean hasLength = options.keySet().stream().anyMatch(LENGTH::contains);
        more.forEach((name, value) -> {
            if (!(hasLength && LENGTH.contains(name))) {
                options.putIfAbsent(name, value);
            }
        });
    }

    private static void append(List<String> words, Map<String, String> options, CommandSpec spec) {
        Set<String> given = new TreeSet<>();
        for (String word : words) {
            OptionSpec option = spec.findOption(word.split("=", 2)[0]);
            if (option != null) {
                given.add(option.longestName());
            }
        }
        boolean hasLength = given.stream().anyMatch(LENGTH::contains);
        options.forEach((name, value) -> {
            if (given.contains(name) || (hasLength && LENGTH.contains(name))) {
                return;
            }
            OptionSpec option = Objects.requireNonNull(spec.findOption(name), name);
            if (option.arity().max() > 0) {
                words.add(name + "=" + value);
            } else if (value.equalsIgnoreCase("true")) {
                words.add(name);
            }
        });
    }

    /** Returns the option whose name takes the fewest changes. */
    private static String nearest(String name, CommandSpec spec) {
        return spec.options().stream()
                .map(option -> option.longestName().replaceFirst("^-+", ""))
                .min(Comparator.comparingInt(option -> distance(name, option)))
                .orElse("");
    }

    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int above = row[j];
                int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(changed, 1 + Math.min(above, row[j - 1]));
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
