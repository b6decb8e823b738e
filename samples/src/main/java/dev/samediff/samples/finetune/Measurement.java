package dev.samediff.samples.finetune;

import dev.samediff.adapters.train.Evaluation;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a model does on an evaluation set.
 *
 * @param set the set's name
 * @param loss mean loss of what has labels
 * @param exactMatch share of prompts answered right; NaN if none was asked
 * @param samples the answers
 * @param metrics the task's metrics by name
 */
public record Measurement(
        String set, double loss, double exactMatch, List<Sample> samples, Map<String, Double> metrics) {
    public Measurement {
        samples = List.copyOf(samples);
        metrics = Collections.unmodifiableMap(new TreeMap<>(metrics));
    }

    /** Measures by an evaluation of a training. */
    public static Measurement of(String set, Evaluation evaluation) {
        return new Measurement(set, evaluation.loss(), Double.NaN, List.of(), evaluation.metrics());
    }

    /** Returns this with the metrics of an evaluation of a training on the same set. */
    Measurement with(Evaluation evaluation) {
        return new Measurement(set, loss, exactMatch, samples, evaluation.metrics());
    }
}
