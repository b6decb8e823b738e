package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.LockFile;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.adapters.train.Subspace;
import dev.samediff.samples.compare.Comparison;
import dev.samediff.samples.compare.ComparisonReport;
import dev.samediff.samples.compare.ComparisonTables;
import dev.samediff.samples.finetune.FineTuneResult;
import dev.samediff.samples.finetune.FineTuneSettings;
import dev.samediff.samples.finetune.FineTuneSummary;
import dev.samediff.samples.finetune.RunDescription;
import dev.samediff.samples.finetune.RunFolder;
import dev.samediff.samples.model.Isolation;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.output.Json;
import dev.samediff.samples.task.Task;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code compare}: the methods side by side. */
@CommandLine.Command(
        name = "compare",
        description = "Trains several methods on the same data in the same order and compares how fast they learn.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  samples/run compare",
            "  samples/run compare --methods sorsa,pissa --rank 16 --steps 400",
            "  samples/run compare --config run.yaml --methods lora,pissa",
            "  samples/run compare --methods lora,sorsa,full --model m.onnx --tokenizer t.json --train x.jsonl"
        })
final class CompareCommand extends Command {
    private static final double FULL_SHARE = 0.1;

    @Option(
            names = "--methods",
            paramLabel = "NAMES",
            split = ",",
            defaultValue = "lora,olora,pissa,sorsa",
            description =
                    "Methods, separated by commas: those of finetune, full, galore, lisa. Default: ${DEFAULT-VALUE}.")
    List<String> methods = List.of();

    @Option(
            names = "--full-lr",
            paramLabel = "ETA",
            description = "Peak learning rate of full, galore and lisa. Default: a tenth of --lr.")
    @Nullable
    Double fullLearningRate;

    @ArgGroup(validate = false)
    ConfigOptions config = new ConfigOptions();

    @ArgGroup(validate = false, heading = "%nModel%n")
    ModelOptions model = new ModelOptions();

    @ArgGroup(validate = false, heading = "%nData%n")
    DataOptions data = new DataOptions();

    @ArgGroup(validate = false, heading = "%nAdapters%n")
    AdapterOptions adapter = new AdapterOptions();

    @ArgGroup(validate = false, heading = "%nTraining%n")
    TrainingOptions training = new TrainingOptions();

    @ArgGroup(validate = false)
    SubspaceOptions subspace = new SubspaceOptions();

    @ArgGroup(validate = false, heading = "%nResults%n")
    FolderOptions output = new FolderOptions();

    @Override
    int run() throws IOException {
        List<Comparison.Entry> asked =
                methods.stream().map(String::strip).map(this::entry).toList();
        adapter.requireKnown(adapterMethods());
        subspace.requireUsed(methods);
        training.requireSteps("in a comparison");
        Task task = data.task(model.isBundled(), model.tokenizer, training.examplesSeen(), training.seed);
        model.prepare(training.execution);
        LanguageModel first = model.load(task); // refuses what cannot be used before anything is made
        Isolation.requireFor(data.packing(), first);
        List<Comparison.Entry> entries =
                asked.stream().map(entry -> started(entry, first.tokenizer())).toList();
        RunFolder folder = output.folder("compare");
        try (InterruptNotice notice = new InterruptNotice(
                        this::say,
                        "stopped; methods are compared when all are done: start again, or name fewer --methods");
                LockFile lock = output.open(folder)) {
            return compare(task, entries, folder);
        }
    }

    private int compare(Task task, List<Comparison.Entry> entries, RunFolder folder) throws IOException {
        say("model: " + model.describe() + "; task: " + task.description());
        DurableFiles.writeText(folder.options(), GivenOptions.lines(spec(), training.defaults()));
        List<FineTuneResult> results = new Comparison(() -> model.load(task), task, entries, adapter.starting.starts())
                .run(progress(), this::say);
        List<FineTuneSummary> summaries = results.stream()
                .map(result -> FineTuneSummary.of(
                        result,
                        settingsOf(result, entries, results).plan(),
                        folder.path().toString()))
                .toList();
        DurableFiles.writeText(folder.summary(), Json.pretty(summaries));
        RunDescription description = new RunDescription(model.describe(), task.description(), commandLine());
        DurableFiles.writeText(
                folder.report(), ComparisonReport.render(results, settings(training.learningRate, null), description));
        print(ComparisonTables.table(results).render() + "\n\nreport   " + folder.report(), summaries);
        return 0;
    }

    private List<String> adapterMethods() {
        return methods.stream()
                .map(String::strip)
                .filter(method -> !SubspaceOptions.isFull(method))
                .toList();
    }

    private Comparison.Entry entry(String method) {
        if (SubspaceOptions.isFull(method)) {
            double rate = fullLearningRate == null ? FULL_SHARE * training.learningRate : fullLearningRate;
            return new Comparison.Entry(Optional.empty(), settings(rate, subspace.rule(method)));
        }
        if (method.isEmpty()) {
            throw new InvalidInputException("--methods has an empty name; separate names by single commas");
        }
        AdapterConfig config = adapter.configForComparison(method, training.seed);
        return new Comparison.Entry(Optional.of(config), settings(training.learningRate, null));
    }

    private Comparison.Entry started(Comparison.Entry entry, Tokenizer tokenizer) {
        return new Comparison.Entry(
                entry.adapter().map(config -> adapter.whole.started(config, tokenizer)), entry.settings());
    }

    private FineTuneSettings settings(double learningRate, @Nullable Subspace rule) {
        return new FineTuneSettings(
                training.plan().learningRate(learningRate).subspace(rule).build(),
                training.batch,
                training.seed,
                data.evalCount,
                Optional.empty(),
                training.stopping.metric(),
                Optional.empty(),
                data.packing());
    }

    private static FineTuneSettings settingsOf(
            FineTuneResult result, List<Comparison.Entry> entries, List<FineTuneResult> results) {
        return entries.get(results.indexOf(result)).settings();
    }
}
