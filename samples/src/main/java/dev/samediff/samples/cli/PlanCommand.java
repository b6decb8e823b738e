package dev.samediff.samples.cli;

import dev.samediff.importer.HubConfig;
import dev.samediff.importer.ModelFormat;
import dev.samediff.samples.learn.TextTasks;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import dev.samediff.samples.plan.MemoryPart;
import dev.samediff.samples.plan.Planner;
import dev.samediff.samples.plan.TrainingPlanned;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code plan}: what a training needs, before it is begun. */
@CommandLine.Command(
        name = "plan",
        description =
                "Says what memory and time a training of a language model needs, by part, and what fits into this machine. No weight"
                        + " is read: the step is compiled for weights without numbers. Ends with 1 if it does not fit.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Example:",
            "  samples/run plan --model TinyLlama --method sorsa --rank 128 --length 512 --precision bf16"
        })
final class PlanCommand extends Command {
    private static final String LENGTH = "--length";

    @Option(
            names = "--method",
            paramLabel = "NAME",
            defaultValue = "sorsa",
            description = "As in finetune. Default: ${DEFAULT-VALUE}.")
    String method = "sorsa";

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description =
                    "A model, as in finetune; of an encoder the step is that of scores, or features, of all tokens. Default: the"
                            + " bundled story model.")
    @Nullable
    Path model;

    @Option(
            names = "--logits",
            paramLabel = "NAME",
            description = "The output that scores the next token. Default: the only one it can be.")
    @Nullable
    String logits;

    @Option(
            names = LENGTH,
            paramLabel = "T",
            defaultValue = "128",
            description = "Tokens of a text. Default: ${DEFAULT-VALUE}.")
    int length;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "16",
            description = "Texts of a step. Default: ${DEFAULT-VALUE}.")
    int batch;

    @ArgGroup(validate = false, heading = "%nAdapter%n")
    AdapterOptions adapter = new AdapterOptions();

    @ArgGroup(validate = false, heading = "%nExecution%n")
    ExecutionOptions execution = new ExecutionOptions();

    @Override
    int run() {
        Planner.Request request = new Planner.Request(
                ModelOptions.file(model),
                adapter.config(method, 0),
                Optional.ofNullable(logits),
                batch,
                length,
                execution.engine());
        say("model: " + (model == null ? "bundled story model" : model)
                + "; compiling its step, no weight is read ...");
        TrainingPlanned planned = Planner.plan(request);
        print(describe(planned), Result.of(planned));
        return planned.fits() ? 0 : Failure.WORK_FAILED;
    }

    private String describe(TrainingPlanned planned) {
        TextTable table = new TextTable("memory", "");
        planned.parts().forEach(part -> table.row(part.what(), Numbers.bytes(part.bytes())));
        table.row("together", Numbers.bytes(planned.bytes()));
        StringBuilder text = new StringBuilder(table.render());
        text.append("\n\n")
                .append(Numbers.count(planned.weights()))
                .append(" weights are multiplied by, ")
                .append(Numbers.count(planned.adapterParameters()))
                .append(" numbers are trained\n");
        text.append("a step: ")
                .append(Numbers.decimal(planned.operations() / 1e12, 2))
                .append(" * 10^12 operations of products; at ")
                .append(Numbers.decimal(planned.gigaflops(), 0))
                .append(" * 10^9 a second, measured now, at least ")
                .append(Numbers.decimal(planned.stepSeconds(), 2))
                .append(" s\n");
        if (planned.diskBytes() > 0) {
            text.append(onDisk(planned));
        }
        planned.available()
                .ifPresent(available -> text.append(planned.fits() ? "it fits" : "it does NOT fit")
                        .append(" into the ")
                        .append(Numbers.bytes(available))
                        .append(" that are left of this machine's memory\n"));
        planned.mostTexts().ifPresent(texts -> text.append(fitting(texts, planned)));
        return text.append(command()).toString();
    }

    private String onDisk(TrainingPlanned planned) {
        Path directory = execution.weightsDirectory();
        long free = directory.toFile().getUsableSpace();
        return "on disk, in " + directory + ", while it runs: " + Numbers.bytes(planned.diskBytes())
                + (planned.residualBytes() > 0
                        ? ", " + Numbers.bytes(planned.residualBytes()) + " of them residuals of " + method
                        : "")
                + "; " + Numbers.bytes(free) + " are free there"
                + (free < planned.diskBytes()
                        ? ", so some weights would lie in memory beside what is above; --weights-directory names another folder\n"
                        : "\n");
    }

    private String fitting(long texts, TrainingPlanned planned) {
        String longest = planned.longestText().isPresent()
                ? "; of one text alone some "
                        + Numbers.count(planned.longestText().getAsLong()) + " tokens do"
                : "";
        return texts > 0
                ? "up to " + Numbers.count(texts) + " texts of " + length + " tokens fit" + longest + "\n"
                : "not even one text of " + length + " tokens fits" + longest
                        + "; --precision bf16, --recompute, a lower --rank and fewer --targets need less\n";
    }

    /** The command that trains so: what was given here, in its words there; data are up to the user. */
    private String command() {
        List<String> words = new ArrayList<>(words());
        words.remove("--json");
        words.replaceAll(word -> word.equals("plan")
                ? "finetune"
                : word.startsWith(LENGTH) ? "--max-length" + word.substring(LENGTH.length()) : word);
        if (words.stream().noneMatch(word -> word.startsWith("--max-length"))) {
            words.addAll(List.of("--max-length", Integer.toString(length)));
        }
        if (model != null) {
            if (isEncoder(model)) {
                words.addAll(List.of("--task", TextTasks.ofHead(model).orElse("TASK")));
            }
            words.addAll(List.of("--tokenizer", "TOKENIZER", "--train", "DATA"));
        }
        return quoted(words);
    }

    /** Whether a folder holds a model that writes no text, so that it is trained for another task. */
    private static boolean isEncoder(Path model) {
        List<String> architectures = HubConfig.beside(model).architectures();
        return ModelFormat.of(model) == ModelFormat.HUGGING_FACE
                && !architectures.isEmpty()
                && architectures.stream().noneMatch(name -> name.endsWith("CausalLM") || name.endsWith("LMHeadModel"));
    }

    /** The result for machines; what is not known is null. */
    record Result(
            List<MemoryPart> parts,
            long bytes,
            long weights,
            long adapterParameters,
            double operations,
            double gigaflops,
            double stepSeconds,
            long diskBytes,
            long residualBytes,
            boolean fits,
            @Nullable Long availableBytes,
            @Nullable Long mostTexts,
            @Nullable Long longestText) {
        static Result of(TrainingPlanned planned) {
            return new Result(
                    planned.parts(),
                    planned.bytes(),
                    planned.weights(),
                    planned.adapterParameters(),
                    planned.operations(),
                    planned.gigaflops(),
                    planned.stepSeconds(),
                    planned.diskBytes(),
                    planned.residualBytes(),
                    planned.fits(),
                    orNull(planned.available()),
                    orNull(planned.mostTexts()),
                    orNull(planned.longestText()));
        }

        private static @Nullable Long orNull(OptionalLong number) {
            return number.isPresent() ? number.getAsLong() : null;
        }
    }
}
