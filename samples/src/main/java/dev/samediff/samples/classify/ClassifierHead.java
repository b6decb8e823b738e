package dev.samediff.samples.classify;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphOutputs;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a classifier has its scores from.
 *
 * @param scores an output of the model that has scores [texts, classes] already; if there is none, a new head is added
 * @param pooling how a new head makes one vector of a text's features
 * @param features the output that a new head is on; the first that fits if absent
 * @param modulesToSave modules that are trained whole beside the adapter; a new head always is
 * @param seed seed of a new head
 */
public record ClassifierHead(
        Optional<String> scores, Pooling pooling, Optional<String> features, List<String> modulesToSave, long seed) {
    /**
     * Adds the head, if it is a new one.
     *
     * @return name of the scores in the graph
     */
    public String addTo(TextModel model, int classes) {
        if (scores.isPresent()) {
            if (!model.imported().graph().hasVariable(scores.get())) {
                throw new InvalidInputException("the model has no output `" + scores.get() + "`; its outputs are "
                        + GraphOutputs.text(model.imported().graph()));
            }
            return scores.get();
        }
        TaskHead head = head(classes);
        return features.map(output -> model.imported().addHead(head, output))
                .orElseGet(() -> model.imported().addHead(head));
    }

    private TaskHead head(int classes) {
        return TaskHead.classification(classes).withPooling(pooling).withSeed(seed);
    }

    /** Returns the modules that are trained whole. */
    public List<String> trainedWhole() {
        return scores.isPresent() || modulesToSave.contains(head(1).module())
                ? modulesToSave
                : Stream.concat(modulesToSave.stream(), Stream.of(head(1).module()))
                        .toList();
    }
}
