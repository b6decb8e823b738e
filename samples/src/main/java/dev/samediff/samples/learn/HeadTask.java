package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphOutputs;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import java.util.Optional;
import java.util.Set;

/** A task whose scores come from a linear layer: a new one, or an output that the model has. */
abstract class HeadTask<E> implements TextTask<E> {
    /** Returns the head for these settings. */
    abstract TaskHead head(TaskSettings settings);

    @Override
    public Set<Setting> settings() {
        return Set.of(Setting.POOLING, Setting.FEATURES);
    }

    @Override
    public TaskSettings settled(TextModel model, TaskSettings settings) {
        return settings.scores() != null || settings.pooling() != null ? settings : settings.withPooling(Pooling.MEAN);
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
        String features = settings.features();
        return features == null
                ? model.imported().addHead(head(settings))
                : model.imported().addHead(head(settings), features);
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
    public Optional<String> newHead(TaskSettings settings) {
        return settings.scores() == null ? Optional.of(head(settings).module()) : Optional.empty();
    }

    @Override
    public TaskSettings written(TaskSettings settings, String output) {
        return settings.withScores(output);
    }
}
