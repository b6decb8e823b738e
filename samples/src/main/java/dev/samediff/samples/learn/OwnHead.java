package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.HubConfig;
import dev.samediff.importer.ModelFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The head that a model from a Hugging Face folder has for a task already. It is learned on, and trained whole, as PEFT does with it.
 *
 * @param scores the output with its scores
 * @param module the path of its module, or of what holds its modules
 * @param labels names of its classes, in the order of the scores
 */
public record OwnHead(String scores, String module, List<String> labels) {
    private static final String ADVICE = "; learn a new head instead: --features last_hidden_state";

    /**
     * Looks for it.
     *
     * @param model the model
     * @param ending how the task's classes of transformers end
     */
    static Optional<OwnHead> of(Path model, String ending) {
        if (ModelFormat.of(model) != ModelFormat.HUGGING_FACE) {
            return Optional.empty();
        }
        HubConfig config = HubConfig.beside(model);
        return config.architectures().stream().anyMatch(name -> name.endsWith(ending))
                ? Optional.of(new OwnHead("logits", "classifier", config.labels()))
                : Optional.empty();
    }

    /**
     * Returns examples whose classes are numbered as the head's scores are. Labels that say nothing (LABEL_0, ...) take on the names of the
     * data, in its order.
     *
     * @param file where the examples are
     * @param task the task
     * @param settings its settings
     * @throws InvalidInputException if the head has other classes
     */
    public <E> Examples<E> read(TextTask<E> task, Path file, TaskSettings settings) {
        Examples<E> examples = task.read(file);
        List<String> found = examples.labels();
        if (found.isEmpty()) {
            if (labels.size() > 1) {
                throw new InvalidInputException("the model scores the classes " + labels + ", and " + file
                        + " has numbers, for which a head has one" + ADVICE);
            }
            return examples;
        }
        if (labels.containsAll(found)) {
            Examples<E> named = new Examples<>(labels, examples.form(), List.of());
            return new Examples<>(labels, examples.form(), task.read(file, settings.of(named)));
        }
        if (saysNothing() && labels.size() == found.size()) {
            return examples;
        }
        throw new InvalidInputException(
                "the model scores the classes " + labels + ", and " + file + " has " + found + ADVICE);
    }

    private boolean saysNothing() {
        return IntStream.range(0, labels.size()).allMatch(i -> labels.get(i).equals("LABEL_" + i));
    }
}
