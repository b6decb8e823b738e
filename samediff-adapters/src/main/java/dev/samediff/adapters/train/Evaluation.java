package dev.samediff.adapters.train;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * The loss on the evaluation data, and metrics.
 *
 * @param step updates made before
 * @param loss task loss, the weighted mean over all labelled tokens; 0 if there are none
 * @param tokens labelled tokens, in all the weight of the labels: with a mask of 0 and 1 their number
 * @param best whether it is the best so far, by the loss or by the metric that decides; never without labelled tokens
 * @param metrics the metrics that were asked for by name, without those that are not defined
 */
public record Evaluation(
        @JsonProperty("step") int step,
        @JsonProperty("loss") double loss,
        @JsonProperty("tokens") double tokens,
        @JsonProperty("best") boolean best,

        @JsonProperty("metrics") @JsonInclude(JsonInclude.Include.NON_EMPTY)
        Map<String, Double> metrics) {
    public Evaluation {
        metrics = Collections.unmodifiableMap(new TreeMap<>(metrics));
    }

    /** An evaluation without metrics. */
    public Evaluation(int step, double loss, double tokens, boolean best) {
        this(step, loss, tokens, best, Map.of());
    }
}
