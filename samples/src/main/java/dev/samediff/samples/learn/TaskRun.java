package dev.samediff.samples.learn;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.adapters.train.Evaluation;
import dev.samediff.adapters.train.Evaluator;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.importer.ImportedModel;
import dev.samediff.samples.finetune.Candidate;
import dev.samediff.samples.finetune.RunFolder;
import dev.samediff.samples.model.LargeModels;
import dev.samediff.samples.model.Vocabularies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * What a run has left behind, to answer texts or to be measured.
 *
 * @param task its task
 * @param file what the run knew
 * @param folder where it is
 * @param model the model file, if it is no longer where it was
 * @param tokenizer its tokenizer, likewise
 */
public record TaskRun<E>(
        TextTask<E> task, TaskFile file, RunFolder folder, Optional<Path> model, Optional<Path> tokenizer) {
    private static final String ADAPTER = "run";

    /**
     * Looks at a run; its model is not imported yet.
     *
     * @throws InvalidInputException if the folder is of no run of such a task
     */
    public static TaskRun<?> of(Path run, Optional<Path> model, Optional<Path> tokenizer) throws IOException {
        TaskFile file = TaskFile.read(run);
        return new TaskRun<>(TextTasks.named(file.task()), file, new RunFolder(run), model, tokenizer);
    }

    /** The trained model: what was trained of it, if that is no part of the model file. */
    private record Trained(TextTraining.Prepared prepared, Optional<AdapterState> adapter) {
        ImportedModel imported() {
            return prepared.model().imported();
        }
    }

    private Trained trained() throws IOException {
        boolean adapted = Files.isDirectory(folder.adapter());
        Path source = model.orElse(adapted ? Path.of(file.model()) : folder.model());
        if (!Files.exists(source)) {
            throw new InvalidInputException("the model " + source + " of the run " + folder.path()
                    + " is no longer there; say where it is with --model");
        }
        Optional<AdapterState> adapter = adapted ? Optional.of(AdapterFolder.load(folder.adapter())) : Optional.empty();
        TextModel loaded = TextModel.load(
                source,
                Tokenizers.load(tokenizer.orElse(Path.of(file.tokenizer()))),
                Optional.of(file.maxLength()),
                task,
                Vocabularies.of(adapter.stream().toList()),
                LargeModels.place());
        return new Trained(TextTraining.Prepared.of(task, loaded, file.settings()), adapter);
    }

    /**
     * Answers of an open pool, which is closed with them.
     *
     * @param pool the pool
     * @param answers the answers
     * @param tokenizer the model's tokenizer
     */
    public record Service(ModelPool pool, Answers answers, Tokenizer tokenizer) implements AutoCloseable {
        @Override
        public void close() {
            pool.close();
        }
    }

    /**
     * Opens what answers texts.
     *
     * @throws InvalidInputException if something of the run is missing, the model is another than the one that was trained, or the task
     *     has no answers
     */
    public Service answers() throws IOException {
        Trained trained = trained();
        ModelPool pool =
                ModelPool.open(trained.imported().graph(), trained.imported().modulePaths(), PoolOptions.defaults());
        try {
            trained.adapter().ifPresent(state -> pool.put(ADAPTER, state));
            TextTraining.Prepared prepared = trained.prepared();
            Optional<String> adapter = trained.adapter().map(state -> ADAPTER);
            return new Service(
                    pool,
                    task.answers(pool, prepared.model(), prepared.output(), prepared.settings(), adapter),
                    prepared.model().tokenizer());
        } catch (RuntimeException e) {
            pool.close();
            throw e;
        }
    }

    /**
     * Measures the model by the loss and the metrics of its task, as its training did; bad rows of the data are told before the model is
     * imported.
     *
     * @param data examples of its task
     * @throws InvalidInputException if the data cannot be used, or as {@link #answers} says
     */
    public Evaluation evaluate(Path data, EngineOptions options) throws IOException {
        List<E> examples = task.read(data, file.settings());
        Trained trained = trained();
        Candidate candidate = candidate(trained);
        return Evaluator.evaluate(
                candidate.graph(),
                candidate.loss(),
                TextTraining.binding(task, trained.prepared().model(), candidate),
                TextTraining.evaluation(task, trained.prepared(), examples, candidate, options),
                options,
                TextTraining.metrics(task, trained.prepared(), candidate));
    }

    private Candidate candidate(Trained trained) {
        ImportedModel imported = trained.imported();
        Optional<AdaptedModel> adapted = trained.adapter().map(state -> AdaptedModel.inject(imported, state));
        SameDiff graph = adapted.map(AdaptedModel::graph).orElse(imported.graph());
        TaskLoss loss =
                task.loss(graph, trained.prepared().output(), trained.prepared().settings());
        return new Candidate(Candidate.FULL, 0, graph, List.of(), loss, 0, 0, adapted, imported.modulePaths());
    }
}
