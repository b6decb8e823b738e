package dev.samediff.adapters.engine.compiled;

import java.util.Optional;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The model that texts were read with: remembered keys and values are right as long as nothing of it changes.
 *
 * @param source what the plans in use were compiled from
 * @param weights the weights as they were
 */
record ReadWith(PlanSource source, WeightWatch weights) {
    /** Remembers the model as it is. */
    static ReadWith of(SameDiff graph, PlanSource source) {
        WeightWatch weights = new WeightWatch(graph);
        source.weights().forEach(name -> weights.remember(name, source.array(name)));
        return new ReadWith(source, weights);
    }

    /** Returns the same model in plans for longer texts. */
    ReadWith with(PlanSource longer) {
        return new ReadWith(longer, weights);
    }

    /** Says what has changed. */
    Optional<String> change() {
        Optional<String> change = source.change();
        if (change.isPresent()) {
            return change;
        }
        for (String name : source.weights()) {
            INDArray now = source.array(name);
            if (!weights.isUnchanged(name, now)) {
                return Optional.of("the values of `" + name + "`");
            }
        }
        return Optional.empty();
    }
}
