package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.LockFile;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.adapters.train.listener.MetricsFile;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxWriter;
import dev.samediff.samples.finetune.Candidate;
import dev.samediff.samples.finetune.FineTuneResult;
import dev.samediff.samples.finetune.FineTuneSettings;
import dev.samediff.samples.finetune.FineTuneSummary;
import dev.samediff.samples.finetune.FineTuneTables;
import dev.samediff.samples.finetune.KeptAdapters;
import dev.samediff.samples.finetune.RunDescription;
import dev.samediff.samples.finetune.RunFolder;
import dev.samediff.samples.finetune.RunWriter;
import dev.samediff.samples.finetune.StopSignal;
import dev.samediff.samples.finetune.TrainingRun;
import dev.samediff.samples.learn.Examples;
import dev.samediff.samples.learn.OwnHead;
import dev.samediff.samples.learn.TaskFile;
import dev.samediff.samples.learn.TaskSettings;
import dev.samediff.samples.learn.TextModel;
import dev.samediff.samples.learn.TextTask;
import dev.samediff.samples.learn.TextTraining;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code finetune} with a task other than {@code lm}, with the options of {@link FineTuneCommand}. */
final class TextTaskJob<E> {
    private final FineTuneCommand command;
    private final TextTask<E> task;
    private final FineTuneSettings settings;
    private final RunFolder folder;
    private final StopSignal stop;

    TextTaskJob(
            FineTuneCommand command, TextTask<E> task, FineTuneSettings settings, RunFolder folder, StopSignal stop) {
        this.command = command;
        this.task = task;
        this.settings = settings;
        this.folder = folder;
        this.stop = stop;
    }

    /** Runs and prints; what is cheap to check is checked before the model is imported. */
    void run() throws IOException {
        Path modelFile =
                required(command.model.model, "--model", "an ONNX file, a Hugging Face folder, or a TensorFlow graph");
        Path tokenizerFile = required(command.model.tokenizer, "--tokenizer", "a tokenizer.json, or a folder with one");
        Path train = required(command.data.train, "--train", task.expectedData());
        Optional<Path> eval = command.data.onlyEvaluation(task.name());
        TaskSettings given = command.task.settings(task, command.model.logits, command.training.seed);
        Optional<OwnHead> own = given.choosesHead() ? Optional.empty() : task.ownHead(modelFile);
        Examples<E> examples = own.map(head -> head.read(task, train, given)).orElseGet(() -> task.read(train));
        Examples.Split<E> data = task.split(examples, train, eval, given);
        TaskSettings known =
                own.map(OwnHead::scores).map(given::withScores).orElse(given).of(examples);
        TrainingRun.requireMetric(settings.metric(), task.metrics("", known));
        Tokenizer tokenizer = Tokenizers.load(tokenizerFile);
        String description = description(train, data);
        command.say("model: " + command.model.describe() + "; task: " + description);
        TextModel model = TextModel.load(
                modelFile,
                tokenizer,
                Optional.ofNullable(command.model.maxLength),
                task,
                command.vocabulary(),
                command.model.place());
        TextTraining.Prepared prepared = TextTraining.Prepared.of(task, model, known);
        Candidate candidate = candidate(prepared, own);
        requireWritable(model, candidate);
        Optional<KeptAdapters> keeper = command.output.keeper(
                folder, candidate.adapted(), AdapterFolder.Description.of(model.imported(), task.peftType()));
        String evaluated = eval.map(file -> String.valueOf(file.getFileName())).orElse("held-out");
        TextTraining<E> training = new TextTraining<>(task, prepared, data, evaluated);
        try (LockFile lock = command.output.open(folder);
                MetricsFile metrics = new MetricsFile(folder.metrics())) {
            command.writeOptions(folder);
            FineTuneSettings settled = training.settled(settings);
            FineTuneResult result = training.run(
                    candidate, settled, command.progress(), stop, OutputOptions.listeners(metrics, keeper));
            save(prepared, candidate, modelFile, tokenizerFile);
            RunDescription run = new RunDescription(command.model.describe(), description, command.commandLine());
            RunWriter writer = new RunWriter(folder);
            task.recipe(model).ifPresent(writer::keeping);
            FineTuneSummary summary =
                    writer.write(result, settled, run, AdapterFolder.Description.of(model.imported(), task.peftType()));
            command.print(text(result), summary);
        }
    }

    private Path required(@Nullable Path given, String option, String expected) {
        if (given == null) {
            throw new InvalidInputException(option + " is missing: --task " + task.name() + " needs " + expected);
        }
        return given;
    }

    private String description(Path train, Examples.Split<E> data) {
        String classes =
                data.train().labels().isEmpty() ? "" : data.train().labels().size() + " classes, ";
        String form = data.train().form().isEmpty() ? "" : data.train().form() + ", ";
        return task.name() + ", " + train.getFileName() + ": " + classes + form
                + data.train().list().size() + " examples, " + data.evaluation().size() + " to evaluate";
    }

    private Candidate candidate(TextTraining.Prepared prepared, Optional<OwnHead> own) {
        List<String> whole = new ArrayList<>(command.adapter.whole.modules());
        task.newHead(prepared.model(), prepared.settings())
                .or(() -> own.map(OwnHead::module))
                .filter(head -> !whole.contains(head))
                .ifPresent(whole::add);
        Function<SameDiff, TaskLoss> loss = graph -> task.loss(graph, prepared.output(), prepared.settings());
        ImportedModel imported = prepared.model().imported();
        if (SubspaceOptions.isFull(command.method)) {
            return Candidate.full(imported, loss).under(settings.plan().subspace());
        }
        if (command.method.equals(Candidate.HEAD)) {
            if (whole.isEmpty()) {
                throw new InvalidInputException("--method head has nothing to train: name modules with"
                        + " --modules-to-save, or leave --logits out for a new head");
            }
            return Candidate.head(imported, whole, loss);
        }
        if (command.method.equalsIgnoreCase(Candidate.PROMPT_TUNING)) {
            throw new InvalidInputException(
                    "--method " + command.method + " stands virtual tokens in front of texts that are"
                            + " written on (--task lm); for --task " + task.name() + " use another method");
        }
        AdapterConfig config = command.adapter.config(command.method, command.training.seed, imported.addedTokens());
        AdapterConfig full = whole.isEmpty() ? config : config.withModulesToSave(whole.toArray(String[]::new));
        return command.adapter
                .starting
                .starts()
                .with(command.progress(), command::say, starts -> Candidate.adapters(imported, full, starts, loss));
    }

    /** What is saved as a model file must have a place in it, which is known before the training. */
    private static void requireWritable(TextModel model, Candidate candidate) {
        if (candidate.adapted().isEmpty()) {
            OnnxWriter.refusals(model.imported(), candidate.trainables()).forEach((weight, reason) -> {
                throw new InvalidInputException(
                        "`" + weight + "` would be trained and has no place in the model file: " + reason);
            });
        }
    }

    /** Adapters are saved as such; where there are none, the whole model. */
    private void save(TextTraining.Prepared prepared, Candidate candidate, Path model, Path tokenizer)
            throws IOException {
        TaskSettings learned = prepared.settings();
        Path trained = model;
        if (candidate.adapted().isEmpty()) {
            Map<String, INDArray> weights = new LinkedHashMap<>();
            for (String name : candidate.trainables()) {
                weights.put(name, candidate.graph().getArrForVarName(name));
            }
            trained = folder.model();
            OnnxWriter.writeMerged(prepared.model().imported(), weights, trained);
            learned = task.written(learned, prepared.output());
        }
        TaskFile.of(task, trained, tokenizer, prepared.model().maxLength(), learned)
                .write(folder.path());
    }

    private String text(FineTuneResult result) {
        return FineTuneTables.beforeAndAfter(result).render() + "\n\n"
                + FineTuneTables.cost(result).render() + "\n\n"
                + "results   " + folder.path() + "\nreport    " + folder.report()
                + "\nevaluate  samples/run evaluate --run "
                + folder.path() + " --data FILE";
    }
}
