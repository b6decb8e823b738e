package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphOutputs;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.importer.HubConfig;
import dev.samediff.importer.HuggingFaceWriter;
import dev.samediff.importer.ImportedModel;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** A task whose scores come from a linear layer: a new one, or an output that the model has. */
abstract class HeadTask<E> implements TextTask<E> {
    private static final String POOLED = "pooler_output";

    /** Returns the head for these settings. */
    abstract TaskHead head(TaskSettings settings);

    /** Returns how transformers' classes with such a head end. */
    abstract String architecture();

    @Override
    public Set<Setting> settings() {
        return Set.of(Setting.POOLING, Setting.FEATURES);
    }

    @Override
    public TaskSettings settled(TextModel model, TaskSettings settings) {
        return settings.scores() != null || settings.pooling() != null
                ? settings
                : settings.withPooling(usual(model, settings));
    }

    /** BERT's own pooler, if nothing else is said: a classifier of transformers is on it, so that PEFT's adapters fit. */
    private static Pooling usual(TextModel model, TaskSettings settings) {
        boolean pooled = settings.features() == null
                && HuggingFaceWriter.isFolder(model.imported())
                && HubConfig.beside(model.imported().source()).architectures().stream()
                        .anyMatch(name -> name.startsWith("Bert"))
                && model.imported().outputs().stream()
                        .anyMatch(output -> output.name().equals(POOLED));
        return pooled ? Pooling.GIVEN : Pooling.MEAN;
    }

    @Override
    public String attach(TextModel model, TaskSettings settings) {
        String scores = settings.scores();
        if (scores != null) {
            return required(model, scores);
        }
        if (settings().contains(Setting.POOLING) && settings.pooling() == Pooling.EACH) {
            throw new InvalidInputException("--pooling each gives no vector for a text; take first, mean, last, or"
                    + " given if the output is pooled already");
        }
        return put(model.imported(), settings);
    }

    @Override
    public void restore(ImportedModel model, TaskSettings settings) {
        if (settings.scores() == null) {
            put(model, settings);
        }
    }

    private String put(ImportedModel model, TaskSettings settings) {
        TaskHead head = named(model, settings);
        String features = settings.features();
        return features == null ? model.addHead(head) : model.addHead(head, features);
    }

    /** The head, under a name that the model has not got. */
    private TaskHead named(ImportedModel model, TaskSettings settings) {
        TaskHead head = head(settings);
        boolean taken =
                model.initializers().keySet().stream().anyMatch(weight -> weight.startsWith(head.module() + "."));
        return taken ? head.withModule("new_" + head.module()) : head;
    }

    /** Checks that the model has an output. */
    static String required(TextModel model, String output) {
        if (!model.imported().graph().hasVariable(output)) {
            throw new InvalidInputException("the model has no output `" + output + "`; its outputs are "
                    + GraphOutputs.text(model.imported().graph()));
        }
        return output;
    }

    @Override
    public Optional<OwnHead> ownHead(Path model) {
        return OwnHead.of(model, architecture());
    }

    @Override
    public Optional<String> newHead(TextModel model, TaskSettings settings) {
        return settings.scores() == null
                ? Optional.of(named(model.imported(), settings).module())
                : Optional.empty();
    }

    @Override
    public TaskSettings written(TaskSettings settings, String output) {
        return settings.withScores(output);
    }
}
