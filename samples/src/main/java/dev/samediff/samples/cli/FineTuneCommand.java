package dev.samediff.samples.cli;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.VirtualTokens;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.LockFile;
import dev.samediff.adapters.text.batch.Packing;
import dev.samediff.adapters.text.batch.TextRecipe;
import dev.samediff.adapters.text.tokenizer.Beginning;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.listener.MetricsFile;
import dev.samediff.importer.OnnxWriter;
import dev.samediff.samples.finetune.AveragedTraining;
import dev.samediff.samples.finetune.Candidate;
import dev.samediff.samples.finetune.FineTune;
import dev.samediff.samples.finetune.FineTuneResult;
import dev.samediff.samples.finetune.FineTuneSettings;
import dev.samediff.samples.finetune.FineTuneSummary;
import dev.samediff.samples.finetune.FineTuneTables;
import dev.samediff.samples.finetune.KeptAdapters;
import dev.samediff.samples.finetune.RunDescription;
import dev.samediff.samples.finetune.RunFolder;
import dev.samediff.samples.finetune.RunWriter;
import dev.samediff.samples.finetune.ShardedTask;
import dev.samediff.samples.finetune.StopSignal;
import dev.samediff.samples.learn.TextTask;
import dev.samediff.samples.model.Isolation;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.model.Vocabularies;
import dev.samediff.samples.task.Task;
import dev.samediff.tuning.ComputeThreads;
import dev.samediff.tuning.spark.SparkFlags;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code finetune}: the main job. */
@CommandLine.Command(
        name = "finetune",
        description = "Adapts a model to examples and shows what changed.%n%nWithout options: the bundled model"
                + " learns a new kind of arithmetic story, in a few minutes.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "In the folder of the results: adapter/ (loads in PEFT), metrics.jsonl, report.html, summary.json,",
            "run.yaml (for --config).",
            "",
            "Examples:",
            "  samples/run finetune",
            "  samples/run finetune --method lora --rank 4 --json",
            "  samples/run finetune --model m.onnx --tokenizer tokenizer.json --train x.jsonl \\",
            "      --method sorsa --rank 16 --targets q_proj,v_proj --steps 1000 --checkpoint-every 100 --out run1",
            "  samples/run finetune --task classify --model bert.onnx --tokenizer tokenizer.json --train intents.csv",
            "  samples/run finetune --task tag --model bert.onnx --tokenizer tokenizer.json --train names.conll \\",
            "      --metric entity_f1 --patience 3 --out names",
            "  samples/run finetune --out run1 --resume",
            "  samples/run finetune --config run1/run.yaml --lr 1e-3",
            "  samples/run finetune --spark 'local[2]' --shards 2 --average-every 10"
        })
final class FineTuneCommand extends Command {
    private static final String CAUSAL_LM = "CAUSAL_LM";

    @Option(
            names = "--method",
            paramLabel = "NAME",
            defaultValue = "sorsa",
            description =
                    "lora, olora, pissa, sorsa, dora, adalora, ... (docs/adapters.md), or prompt_tuning; with other tasks than lm also full (all weights), galore"
                            + " and lisa (all, with moments for a part), and head (nothing else). Default: ${DEFAULT-VALUE}.")
    String method = "sorsa";

    @ArgGroup(validate = false)
    ConfigOptions config = new ConfigOptions();

    @ArgGroup(validate = false, heading = "%nTask%n")
    TaskOptions task = new TaskOptions();

    @ArgGroup(validate = false, heading = "%nModel%n")
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--resize-vocabulary",
            description =
                    "Give the model as many tokens as its tokenizer has, if these are more, and train the rows of the"
                            + " new ones, unless --modules-to-save or --trainable-tokens say what is trained.")
    boolean resizeVocabulary;

    @ArgGroup(validate = false, heading = "%nData%n")
    DataOptions data = new DataOptions();

    @ArgGroup(validate = false, heading = "%nAdapter%n")
    AdapterOptions adapter = new AdapterOptions();

    @ArgGroup(validate = false, heading = "%nTraining%n")
    TrainingOptions training = new TrainingOptions();

    @ArgGroup(validate = false)
    SubspaceOptions subspace = new SubspaceOptions();

    @ArgGroup(validate = false, heading = "%nTraining on Apache Spark%n")
    SparkOptions spark = new SparkOptions();

    @ArgGroup(validate = false, heading = "%nResults and checkpoints%n")
    OutputOptions output = new OutputOptions();

    @Override
    int run() throws IOException {
        subspace.requireUsed(List.of(method));
        model.prepare(training.execution);
        if (!task.isLanguageModel()) {
            return learn(task.task());
        }
        task.requireNone();
        adapter.config(method, training.seed); // refuses before anything is loaded
        if (data.train == null) {
            training.requireSteps("with the bundled stories, which are as many as are needed");
        }
        Optional<AveragedTraining> averaged = averaged();
        RunFolder folder = output.folder("finetune");
        FineTuneSettings settings = settings(folder);
        Task examples = task();
        LanguageModel loaded = model.load(examples, vocabulary());
        Isolation.requireFor(settings.packing(), loaded);
        AdapterConfig adapters = adapters(loaded);
        say("model: " + model.describe() + "; task: " + examples.description());
        Candidate candidate = adapter.starting
                .starts()
                .with(progress(), this::say, starts -> Candidate.adapters(loaded, adapters, starts));
        candidate.adapted().ifPresent(adapted -> sayWhatIsLeftOut(loaded, adapted));
        Optional<KeptAdapters> keeper = output.keeper(folder, candidate.adapted(), peft(loaded));
        FineTune job = new FineTune(loaded, examples, settings, progress(), this::say);
        averaged.ifPresent(job::on);
        StopSignal stop = new StopSignal();
        job.stoppedBy(stop);
        try (InterruptNotice notice = new InterruptNotice(this::say, stop::stop, () -> goOn(stop, folder));
                LockFile lock = output.open(folder);
                MetricsFile metrics = new MetricsFile(folder.metrics())) {
            writeOptions(folder);
            FineTuneResult result = job.run(candidate, Optional.empty(), OutputOptions.listeners(metrics, keeper));
            RunDescription description = new RunDescription(model.describe(), examples.description(), commandLine());
            FineTuneSummary summary = new RunWriter(folder)
                    .keeping(recipe(loaded, examples))
                    .write(result, job.settings(), description, peft(loaded));
            print(text(result, folder), summary);
            return 0;
        } catch (StopSignal.Stopped e) { // a signal is ending the process, and says so
            return Failure.WORK_FAILED;
        }
    }

    /** What PEFT likes to know; the bundled model has no name that anybody could find it by. */
    private AdapterFolder.Description peft(LanguageModel loaded) {
        return model.isBundled()
                ? new AdapterFolder.Description(Optional.empty(), Optional.of(CAUSAL_LM))
                : AdapterFolder.Description.of(loaded.imported(), CAUSAL_LM);
    }

    private int learn(TextTask<?> chosen) throws IOException {
        if (spark.master != null) {
            throw new InvalidInputException("--task " + chosen.name() + " does not train on Spark; leave --spark out");
        }
        if (data.template != null) {
            throw new InvalidInputException(
                    "--template is for the prompts of --task lm; leave it out with --task " + chosen.name());
        }
        if (data.packing() != Packing.NONE) {
            throw new InvalidInputException("--pack is for --task lm; leave it out with --task " + chosen.name());
        }
        if (model.bos != Beginning.AUTO) {
            throw new InvalidInputException(
                    "--bos is for --task lm; texts of other tasks are framed as the tokenizer's files say: leave it out"
                            + " with --task " + chosen.name());
        }
        RunFolder folder = output.folder("finetune");
        StopSignal stop = new StopSignal();
        try (InterruptNotice notice = new InterruptNotice(this::say, stop::stop, () -> goOn(stop, folder))) {
            new TextTaskJob<>(this, chosen, settings(folder), folder, stop).run();
            return 0;
        } catch (StopSignal.Stopped e) { // a signal is ending the process, and says so
            return Failure.WORK_FAILED;
        }
    }

    /** Returns how the texts become tokens, to be kept with the adapter. */
    private TextRecipe recipe(LanguageModel loaded, Task examples) {
        TextRecipe recipe = TextRecipe.of(loaded.framing(), data.promptTemplate());
        return examples.chat().map(recipe::withChat).orElse(recipe);
    }

    private FineTuneSettings settings(RunFolder folder) {
        IntFunction<TrainingPlan> plan =
                steps -> output.withCheckpoints(training.plan(steps).subspace(subspace.rule(method)), folder)
                        .build();
        return new FineTuneSettings(
                plan.apply(training.steps()),
                training.batch,
                training.seed,
                data.evalCount,
                output.resumeFrom(folder),
                training.stopping.metric(),
                Optional.ofNullable(training.epochs).map(count -> new FineTuneSettings.Epochs(count, plan)),
                data.packing());
    }

    /** Leaves the options beside the results, from which the run can be done again. */
    void writeOptions(RunFolder folder) throws IOException {
        DurableFiles.writeText(folder.options(), GivenOptions.lines(spec(), training.defaults()));
    }

    /** Says how to go on after a signal. */
    private String goOn(StopSignal stop, RunFolder folder) {
        if (stop.checkpoint().isEmpty() && !output.resume) {
            return "stopped; there is no checkpoint to go on from: start again";
        }
        String from = stop.checkpoint().isPresent()
                ? "step " + stop.checkpoint().getAsInt()
                : "the checkpoint that this run began with";
        List<String> command = new ArrayList<>(words());
        command.removeIf(word -> word.equals("--overwrite") || word.equals("--resume"));
        if (output.out == null) {
            command.addAll(List.of("--out", folder.path().toString()));
        }
        command.add("--resume");
        return "stopped; go on from " + from + " with: " + quoted(command);
    }

    /** Says before the training what is not adapted although it is meant, and what cannot be merged afterwards. */
    private void sayWhatIsLeftOut(LanguageModel loaded, AdaptedModel adapted) {
        Map<String, String> leftOut = new LinkedHashMap<>();
        adapted.leftOut()
                .values()
                .forEach(all -> all.forEach(rejected -> leftOut.put(rejected.module(), rejected.reason())));
        if (adapted.config().targets().targets().isEmpty()) {
            loaded.imported()
                    .report()
                    .notAdapted()
                    .forEach(weight -> leftOut.putIfAbsent(
                            weight.module().isEmpty() ? weight.tensor() : weight.module(), weight.reason()));
        }
        leftOut.forEach((module, reason) -> say("left out: " + module + ": " + reason));
        List<String> weights =
                adapted.sites().stream().map(site -> site.layer().weight()).toList();
        OnnxWriter.refusals(loaded.imported(), weights)
                .forEach((weight, reason) -> say("merge will not write " + weight + " into the ONNX file: " + reason));
    }

    /** Returns the task; shards together see more examples than one training. */
    private Task task() {
        int shards = spark.master == null ? 1 : spark.shards;
        return data.task(
                model.isBundled(), model.tokenizer, training.examplesSeen(training.batch * shards), training.seed);
    }

    /** Returns how to train on Spark, if asked for. */
    private Optional<AveragedTraining> averaged() {
        if (spark.master == null) {
            return Optional.empty();
        }
        if (output.resume
                || output.keepAdapters != null
                || output.checkpointEvery > 0
                || training.stopping.patience > 0
                || training.stopping.metric != null) {
            throw new InvalidInputException(
                    "--resume, --checkpoint-every, --keep-adapters, --patience and --metric are not possible with --spark:"
                            + " shards keep no checkpoints after the run; leave them out");
        }
        training.requireSteps("with --spark");
        if (data.packing() != Packing.NONE) {
            throw new InvalidInputException("--pack is not possible with --spark; leave one of them out");
        }
        SparkFlags.require();
        FineTuneShards factory = new FineTuneShards(GivenOptions.words(spec()), spark.shards);
        int threads = ComputeThreads.each(spark.shards);
        return Optional.of(new AveragedTraining(spark.averaging(training.steps()), spark.master, threads, factory));
    }

    /** Loads the model and prepares the shards of this process. */
    ShardedTask sharded() {
        model.prepare(training.execution);
        FineTuneSettings settings = new FineTuneSettings(
                training.plan().build(), training.batch, training.seed, data.evalCount, Optional.empty());
        Task examples = task();
        LanguageModel plain = model.load(examples, vocabulary());
        AdapterConfig adapters = adapters(plain);
        int virtual = adapters.whole().prompt().map(VirtualTokens::count).orElse(0);
        LanguageModel loaded = plain.withFraming(plain.framing().behind(virtual));
        return new ShardedTask(loaded, examples, adapters, adapter.starting.starts(), settings, () -> training.plan());
    }

    private AdapterConfig adapters(LanguageModel loaded) {
        return adapter.whole.started(
                adapter.config(method, training.seed, loaded.imported().addedTokens()), loaded.tokenizer());
    }

    /** Returns how many tokens the model gets. */
    Vocabularies vocabulary() {
        return resizeVocabulary ? Vocabularies.OF_TOKENIZER : Vocabularies.AS_IT_IS;
    }

    private static String text(FineTuneResult result, RunFolder folder) {
        return FineTuneTables.beforeAndAfter(result).render() + "\n\n"
                + FineTuneTables.cost(result).render() + "\n\n"
                + "adapter  " + folder.adapter() + "\nreport   " + folder.report();
    }
}
