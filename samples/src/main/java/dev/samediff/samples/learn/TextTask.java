package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.TextRecipe;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.importer.ImportedModel;
import dev.samediff.samples.finetune.Candidate;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * A kind of answers that a model of texts learns to give. It reads its data, puts on the model what the model lacks, and knows its loss, its
 * metrics and how to answer; {@code finetune}, {@code predict} and {@code evaluate} do the same with each.
 *
 * @param <E> an example
 */
public interface TextTask<E> {
    /** What a task may take beside data and model, by the words of the command line. */
    enum Setting {
        POOLING("--pooling"),
        FEATURES("--features"),
        DECODER_START("--decoder-start"),
        PREFERENCE_LOSS("--preference-loss"),
        BETA("--beta");

        private final String option;

        Setting(String option) {
            this.option = option;
        }

        /** Returns the option's name. */
        public String option() {
            return option;
        }
    }

    /** Returns the name on the command line. */
    String name();

    /** Returns PEFT's {@code task_type}. */
    String peftType();

    /** Returns what it takes beside data and model. */
    Set<Setting> settings();

    /** Says what its files hold. */
    String expectedData();

    /**
     * Reads a file to learn from.
     *
     * @throws InvalidInputException that names file and line of what cannot be used
     */
    Examples<E> read(Path file);

    /**
     * Reads a file to measure by.
     *
     * @param known what the training data had: its classes and its form
     * @throws InvalidInputException that names file and line of what cannot be used, or is not of these classes, this form
     */
    List<E> read(Path file, TaskSettings known);

    /** Returns the model's inputs that no text of a batch fills, but the task does. */
    default Set<String> otherInputs() {
        return Set.of();
    }

    /** Returns the settings with what only the model can tell, such as which output scores tokens. */
    default TaskSettings settled(TextModel model, TaskSettings settings) {
        return settings;
    }

    /**
     * Puts on the model what it lacks.
     *
     * @return name of the variable that is learned
     */
    String attach(TextModel model, TaskSettings settings);

    /** Returns the head that a model has for this task already. */
    default Optional<OwnHead> ownHead(Path model) {
        return Optional.empty();
    }

    /** Puts the head that a run learned on its model again, where the task has one. */
    default void restore(ImportedModel model, TaskSettings settings) {
        // the model lacks nothing
    }

    /** Returns the module path of a new head, which is trained whole. */
    default Optional<String> newHead(TextModel model, TaskSettings settings) {
        return Optional.empty();
    }

    /** Returns the settings of a model file that was written with its head, whose result has this name. */
    default TaskSettings written(TaskSettings settings, String output) {
        return settings;
    }

    /** Adds the loss to the graph. */
    TaskLoss loss(SameDiff graph, String output, TaskSettings settings);

    /** Returns how texts became tokens, where that is more than the tokenizer's frame for whole texts. */
    default Optional<TextRecipe> recipe(TextModel model) {
        return Optional.empty();
    }

    /** Returns the placeholders that the features of its batches feed, in their order. */
    default List<String> placeholders(TextModel model) {
        return List.of(model.inputs().placeholders());
    }

    /** Returns batches for the model's inputs. */
    MultiDataSetIterator batches(List<E> examples, TextModel model, BatchPlan plan, TaskSettings settings);

    /** Returns batches with what the model itself must say before it is trained. */
    default MultiDataSetIterator prepared(
            MultiDataSetIterator batches, Candidate candidate, TextModel model, EngineOptions options) {
        return batches;
    }

    /** Returns the variable that its metrics look at. */
    default String measured(SameDiff graph, String output, TaskLoss loss) {
        return output;
    }

    /** Returns its metrics, the one that says most first. */
    List<Metric> metrics(String measured, TaskSettings settings);

    /**
     * Returns what answers texts.
     *
     * @param adapter name of an adapter in the pool, or empty
     * @throws InvalidInputException if the task has no answers
     */
    Answers answers(ModelPool pool, TextModel model, String output, TaskSettings settings, Optional<String> adapter);

    /** Splits the data to learn from and to measure by; without a file to measure by, every 20th example is held out. */
    default Examples.Split<E> split(
            Examples<E> examples, Path train, Optional<Path> evaluation, TaskSettings settings) {
        return evaluation
                .map(file -> new Examples.Split<>(examples, read(file, settings.of(examples))))
                .orElseGet(() -> examples.split(train));
    }
}
