package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.LockFile;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.samples.finetune.RunDescription;
import dev.samediff.samples.finetune.RunFolder;
import dev.samediff.samples.machine.Memory;
import dev.samediff.samples.model.Isolation;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.output.Json;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.sweep.FineTuneLine;
import dev.samediff.samples.sweep.LiveTable;
import dev.samediff.samples.sweep.PaperSweeps;
import dev.samediff.samples.sweep.SweepDefinition;
import dev.samediff.samples.sweep.SweepJob;
import dev.samediff.samples.sweep.SweepReport;
import dev.samediff.samples.sweep.SweepSummary;
import dev.samediff.samples.sweep.SweepTables;
import dev.samediff.samples.task.Task;
import dev.samediff.tuning.LocalTrials;
import dev.samediff.tuning.Sweep;
import dev.samediff.tuning.SweepListener;
import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.SweepResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.journal.Journal;
import dev.samediff.tuning.journal.TrialsCsv;
import dev.samediff.tuning.space.AdapterParameter;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.SpaceJson;
import dev.samediff.tuning.spark.SparkTrials;
import dev.samediff.tuning.training.AdapterDefaults;
import dev.samediff.tuning.training.AdapterTrial;
import dev.samediff.tuning.training.TrialMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/** {@code sweep}: searches hyper-parameters. */
@CommandLine.Command(
        name = "sweep",
        description =
                "Searches rank, gamma, learning rate and more for the lowest evaluation loss, and goes on after any"
                        + " interruption.%n%nWithout options: the SORSA paper's sweep over rank, gamma and learning rate"
                        + " on the bundled task, then the OLoRA paper's comparison of ranks.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "In the folder of the results: journal.jsonl (a line per ended trial), trials.csv, report.html, summary.json,",
            "run.yaml (for --config).",
            "",
            "Examples:",
            "  samples/run sweep",
            "  samples/run sweep --trials 40 --parallel 2 --out sweep1",
            "  samples/run sweep --out sweep1 --resume",
            "  samples/run sweep --out sweep1 --resume --ui",
            "  samples/run sweep --space space.json --search grid --prune none --model m.onnx \\",
            "      --tokenizer tokenizer.json --train x.jsonl --steps 200"
        })
final class SweepCommand extends Command {
    private static final int STEPS = 60;
    private static final int BATCH = 8;
    private static final int SHOWN = 5;

    private static final String SPARK = "--spark";

    /** Options that are shown whatever they are. */
    private static final Set<String> USUAL = Set.of("--lr", "--schedule", "--batch", "--steps", "--seed");

    @Option(
            names = "--method",
            paramLabel = "NAME",
            description = "Adapter method of all trials, unless the space varies it. Default: ${DEFAULT-VALUE}.",
            defaultValue = Sorsa.NAME)
    String method = Sorsa.NAME;

    @ArgGroup(validate = false)
    ConfigOptions config = new ConfigOptions();

    @ArgGroup(validate = false, heading = "%nSearch%n")
    SearchOptions search = new SearchOptions();

    @ArgGroup(validate = false, heading = "%nModel%n")
    ModelOptions model = new ModelOptions();

    @ArgGroup(validate = false, heading = "%nData%n")
    DataOptions data = new DataOptions();

    @ArgGroup(
            validate = false,
            heading = "%nTraining of each trial (here --steps is " + STEPS + " and --batch " + BATCH
                    + " unless given; the space wins)%n")
    TrainingOptions training = new TrainingOptions();

    @ArgGroup(validate = false, heading = "%nAdapters (the space wins)%n")
    AdapterOptions adapter = new AdapterOptions();

    @ArgGroup(validate = false, heading = "%nResults%n")
    SweepOutputOptions output = new SweepOutputOptions();

    @Override
    int run() throws IOException {
        BrowserPage.require(output.page());
        RunFolder folder = output.folder("sweep");
        if (output.resume && options().stream().allMatch(GivenOptions.PLACE::contains)) {
            return recorded(folder).run();
        }
        training.stopping.requireLoss("in a sweep, whose trials are judged by their loss");
        training.plan().build(); // refuses before a folder is made
        AdapterSpace space = search.space();
        requireMethod(space);
        defaults().requireKnown(space);
        SweepPlan plan = search.plan(training.seed);
        SweepJob job = job();
        Task task = task(training.batch);
        try (LockFile lock = output.open(folder)) {
            return sweep(folder, space, plan, job, task);
        }
    }

    private int sweep(RunFolder folder, AdapterSpace space, SweepPlan plan, SweepJob job, Task task)
            throws IOException {
        Map<String, String> common = common();
        SweepDefinition.of(space, plan, common, arguments()).settle(folder.path(), output.resume);
        DurableFiles.writeText(folder.options(), GivenOptions.lines(spec(), training.defaults()));
        say("model: " + model.describe() + "; task: " + task.description());
        SweepReport.Part main = run("sweep", folder.path(), job, space, plan);
        Optional<SweepReport.Part> ranks = Optional.empty();
        if (search.isDefault()) {
            Path beside = folder.path().resolve(SweepOutputOptions.RANKS);
            SweepOutputOptions.createBeside(beside);
            ranks = Optional.of(run("ranks", beside, job, PaperSweeps.ranks(), PaperSweeps.comparing(plan)));
        }
        SweepSummary summary =
                SweepSummary.of(main.result(), common, folder.path().toString());
        DurableFiles.writeText(folder.summary(), Json.pretty(summary));
        RunDescription description = new RunDescription(model.describe(), task.description(), commandLine());
        DurableFiles.writeText(folder.report(), new SweepReport(description, common).render(main, ranks));
        print(text(main, common, folder), summary);
        return main.result().count(TrialState.COMPLETE) > 0 ? 0 : Failure.WORK_FAILED;
    }

    /** Refuses a method that was asked for and is none of the space's. */
    private void requireMethod(AdapterSpace space) {
        space.parameters().stream()
                .filter(parameter -> parameter.name().equals(AdapterParameter.METHOD.key()))
                .filter(parameter ->
                        options().contains("--method") && !parameter.range().contains(method.toLowerCase(Locale.ROOT)))
                .findFirst()
                .ifPresent(parameter -> {
                    throw new InvalidInputException("--method " + method + " is given, and "
                            + (search.space == null
                                    ? "the sweep that is done without --space is of " + Sorsa.NAME
                                    : search.space + " says other methods")
                            + "; leave --method out, or name it in a --space");
                });
    }

    /** Loads the model and prepares what trials share. */
    SweepJob job() {
        settleDefaults();
        model.prepare(training.execution);
        LanguageModel loaded = model.load(task(1));
        Isolation.requireFor(data.packing(), loaded);
        return new SweepJob(loaded, this::task, data.packing(), defaults(), adapter.starting.starts());
    }

    private SweepReport.Part run(String name, Path folder, SweepJob job, AdapterSpace space, SweepPlan plan)
            throws IOException {
        int trials = (int) Math.min(plan.trials(), gridSize(space, plan));
        try (Journal journal = Journal.open(folder.resolve(SweepOutputOptions.JOURNAL));
                InterruptNotice notice = new InterruptNotice(this::say, sentence(output.out));
                LiveTable table = new LiveTable(name, trials, progress(), this::sayAboveBar);
                BrowserPage page = BrowserPage.open(output.page(), name, space, this::say)) {
            SweepListener[] listeners = {table, page.listener()};
            SweepResult result = search.spark == null
                    ? new Sweep(space, plan, new LocalTrials(trial(job, space, plan))).run(journal, listeners)
                    : onSpark(search.spark, space, plan, journal, listeners);
            TrialsCsv.write(folder.resolve("trials.csv"), result.trials());
            return new SweepReport.Part(space, plan, result);
        }
    }

    /** Returns the trial, after a look at whether so many fit into memory. */
    private AdapterTrial trial(SweepJob job, AdapterSpace space, SweepPlan plan) {
        AdapterTrial trial = job.trial(space);
        TrialMemory memory = trial.memory(space, plan.seed());
        say("memory: about " + Numbers.bytes(memory.bytes()) + " for each trial, beside the shared model");
        Memory.available().ifPresent(free -> memory.requireFits(plan.parallel(), free));
        return trial;
    }

    private SweepResult onSpark(
            String master, AdapterSpace space, SweepPlan plan, Journal journal, SweepListener... listeners) {
        SweepTrialFactory factory =
                new SweepTrialFactory(arguments(), SpaceJson.write(space).toString());
        try (SparkTrials spark = SparkTrials.connect(master, plan.threads(), factory)) {
            return new Sweep(space, plan, spark).run(journal, listeners);
        }
    }

    private static String sentence(@Nullable Path out) {
        return "stopped; ended trials are kept, go on with: samples/run sweep --out " + out + " --resume";
    }

    private static double gridSize(AdapterSpace space, SweepPlan plan) {
        return plan.search().name().startsWith("GRID") ? space.gridSize(plan.gridPoints()) : Double.MAX_VALUE;
    }

    /** Returns the command that began the sweep in a folder, to go on with it. */
    private SweepCommand recorded(RunFolder folder) {
        SweepCommand command = new SweepCommand();
        CommandLine line = new CommandLine(command)
                .setOut(spec().commandLine().getOut())
                .setErr(spec().commandLine().getErr())
                .setCaseInsensitiveEnumValuesAllowed(true);
        List<String> arguments = new ArrayList<>(SweepDefinition.arguments(folder.path()));
        arguments.addAll(List.of("--out", folder.path().toString(), "--resume"));
        if (json) {
            arguments.add("--json");
        }
        if (output.ui != null) {
            arguments.add("--ui=" + output.ui);
        }
        if (output.uiHost != null) {
            arguments.add("--ui-host=" + output.uiHost);
        }
        line.parseArgs(arguments.toArray(String[]::new));
        return command;
    }

    /** Returns the names of the options that were given. */
    private List<String> options() {
        return GivenOptions.names(spec());
    }

    /** Returns the options that say what is searched, to be kept with the results. */
    private List<String> arguments() {
        return GivenOptions.words(spec());
    }

    private void settleDefaults() {
        List<String> given = options();
        training.requireSteps("in a sweep, whose trials may have batches of other sizes");
        if (!given.contains("--steps")) {
            training.steps = STEPS;
        }
        if (!given.contains("--batch")) {
            training.batch = BATCH;
        }
    }

    private AdapterDefaults defaults() {
        return new AdapterDefaults(
                method,
                adapter.rank,
                Optional.ofNullable(adapter.alpha),
                adapter.settings(),
                adapter.common(Lora.rank(adapter.rank), training.seed),
                training.batch,
                () -> training.plan());
    }

    private Task task(int batch) {
        return data.task(model.isBundled(), model.tokenizer, training.examplesSeen(batch), training.seed);
    }

    /** Returns what all trials have in common, as options of {@code finetune}: those with other values than there, and the usual ones. */
    private Map<String, String> common() {
        CommandLine finetune = new CommandLine(new FineTuneCommand()).setCaseInsensitiveEnumValuesAllowed(true);
        finetune.parseArgs();
        Map<String, String> common = new LinkedHashMap<>();
        for (OptionSpec option : spec().options()) {
            String name = option.longestName();
            OptionSpec there = finetune.getCommandSpec().findOption(name);
            if (there != null
                    && !GivenOptions.PLACE.contains(name)
                    && !name.equals(SPARK) // which runs trials here, and averages adapters there
                    && (USUAL.contains(name) || !Objects.equals(option.getValue(), there.getValue()))) {
                common.put(name, GivenOptions.value(spec(), option));
            }
        }
        return common;
    }

    private static String text(SweepReport.Part part, Map<String, String> common, RunFolder folder) {
        return SweepTables.best(part.space(), part.result(), SHOWN).render() + "\n\n"
                + part.result()
                        .best()
                        .map(best -> FineTuneLine.of(best.parameters(), common))
                        .orElse("no trial ran to its end; trials.csv says why")
                + "\n\nreport   " + folder.report() + "\njournal  "
                + folder.path().resolve(SweepOutputOptions.JOURNAL);
    }
}
