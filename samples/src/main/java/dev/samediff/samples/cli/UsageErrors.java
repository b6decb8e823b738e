package dev.samediff.samples.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Sentences about words of the command line that do not fit, with what other tools call the same things. */
final class UsageErrors {
    /** What PEFT, transformers, axolotl, mlx_lm and torchtune call it, and what it is called here; `_` counts as `-`. */
    private static final Map<String, String> OPTIONS = Map.ofEntries(
            Map.entry("--learning-rate", "--lr"),
            Map.entry("--batch-size", "--batch"),
            Map.entry("--per-device-train-batch-size", "--batch"),
            Map.entry("--micro-batch-size", "--batch"),
            Map.entry("--gradient-accumulation-steps", "--accumulate"),
            Map.entry("--max-steps", "--steps"),
            Map.entry("--iters", "--steps"),
            Map.entry("--num-epochs", "--epochs"),
            Map.entry("--num-train-epochs", "--epochs"),
            Map.entry("--warmup-steps", "--warmup"),
            Map.entry("--lr-scheduler-type", "--schedule"),
            Map.entry("--max-grad-norm", "--clip"),
            Map.entry("--optim", "--optimizer"),
            Map.entry("--lora-r", "--rank"),
            Map.entry("--lora-rank", "--rank"),
            Map.entry("--lora-alpha", "--alpha"),
            Map.entry("--lora-dropout", "--dropout"),
            Map.entry("--target-modules", "--targets"),
            Map.entry("--exclude-modules", "--exclude"),
            Map.entry("--use-rslora", "--rslora"),
            Map.entry("--dataset", "--train"),
            Map.entry("--train-file", "--train"),
            Map.entry("--data", "--train"),
            Map.entry("--validation-file", "--eval"),
            Map.entry("--eval-steps", "--eval-every"),
            Map.entry("--save-steps", "--checkpoint-every"),
            Map.entry("--save-every", "--checkpoint-every"),
            Map.entry("--resume-from-checkpoint", "--resume"),
            Map.entry("--output-dir", "--out"),
            Map.entry("--max-seq-length", "--max-length"),
            Map.entry("--max-new-tokens", "--max-tokens"),
            Map.entry("--packing", "--pack"),
            Map.entry("--neftune-noise-alpha", "--neftune"),
            Map.entry("--adapter-path", "--adapter"),
            Map.entry("--model-name-or-path", "--model"));

    private static final Map<String, String> COMMANDS = Map.of(
            "train",
            "finetune",
            "tune",
            "finetune",
            "lora",
            "finetune",
            "infer",
            "generate",
            "run",
            "generate",
            "fuse",
            "merge",
            "export",
            "convert",
            "help",
            "--help");

    private UsageErrors() {}

    /** Returns what is wrong, and what to write instead if that can be told. */
    static String sentence(ParameterException failure) {
        CommandLine command = failure.getCommandLine();
        String help = command.getCommandSpec().qualifiedName() + " --help";
        String message = String.valueOf(failure.getMessage());
        if (failure instanceof UnmatchedArgumentException unmatched) {
            message = unmatched(unmatched, command.getCommandSpec());
        }
        String prefix = "Error: "; // of picocli's own about groups
        return (message.startsWith(prefix) ? message.substring(prefix.length()) : message) + " (" + help
                + " lists what there is)";
    }

    private static String unmatched(UnmatchedArgumentException failure, CommandSpec spec) {
        List<String> words = failure.getUnmatched();
        List<String> options = new ArrayList<>();
        for (String word : words) {
            if (word.startsWith("-") && word.length() > 1 && !Character.isDigit(word.charAt(1))) {
                options.add(word.split("=", 2)[0]);
            }
        }
        if (options.isEmpty()) {
            boolean isCommand = !spec.subcommands().isEmpty();
            return (isCommand ? "there is no command `" : "the word `")
                    + words.get(0)
                    + (isCommand ? "`" : "` belongs to no option")
                    + (isCommand && COMMANDS.containsKey(words.get(0))
                            ? "; here it is " + COMMANDS.get(words.get(0))
                            : nearest(failure));
        }
        Optional<String> known = Optional.ofNullable(OPTIONS.get(options.get(0).replace('_', '-')))
                .filter(name -> spec.findOption(name) != null);
        return (options.size() == 1 ? "there is no option " : "there are no options ")
                + String.join(", ", options)
                + known.map(name -> "; here it is " + name).orElseGet(() -> nearest(failure));
    }

    private static String nearest(UnmatchedArgumentException failure) {
        List<String> nearest = failure.getSuggestions();
        return nearest.isEmpty()
                ? ""
                : "; did you mean " + String.join(" or ", nearest.subList(0, Math.min(2, nearest.size()))) + "?";
    }
}
