package dev.samediff.tuning.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.SpaceJson;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** One trial as one line of JSON. */
final class TrialJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private TrialJson() {}

    static String line(TrialResult trial) {
        ObjectNode node = JSON.createObjectNode().put("index", trial.index());
        node.set("parameters", JSON.valueToTree(trial.parameters().values()));
        node.put("state", trial.state().key());
        if (Double.isFinite(trial.score())) {
            node.put("score", trial.score());
        } else {
            node.putNull("score");
        }
        node.put("seconds", Math.round(1000 * trial.seconds()) / 1000.0).put("attempts", trial.attempts());
        ArrayNode curve = node.putArray("curve");
        trial.curve()
                .points()
                .forEach(point -> curve.addArray().add(point.step()).add(point.value()));
        if (!trial.error().isEmpty()) {
            node.put("error", trial.error());
        }
        try {
            return JSON.writeValueAsString(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot write trial " + trial.index() + " as JSON", e);
        }
    }

    /** Reads a line; throws IllegalArgumentException with a reason if it is no trial. */
    static TrialResult parse(String line) {
        try {
            JsonNode node = JSON.readTree(line);
            if (!node.path("index").isInt() || !node.path("parameters").isObject()) {
                throw new IllegalArgumentException("it has no index or no parameters");
            }
            Map<String, Object> parameters = new LinkedHashMap<>();
            node.path("parameters")
                    .properties()
                    .forEach(
                            entry -> parameters.put(entry.getKey(), SpaceJson.value(entry.getKey(), entry.getValue())));
            List<LearningCurve.Point> curve = new ArrayList<>();
            node.path("curve")
                    .forEach(point -> curve.add(new LearningCurve.Point(
                            point.path(0).longValue(), point.path(1).doubleValue())));
            JsonNode score = node.path("score");
            return new TrialResult(
                    node.path("index").intValue(),
                    new ParameterValues(parameters),
                    TrialState.valueOf(node.path("state").asText().toUpperCase(Locale.ROOT)),
                    score.isNumber() ? score.doubleValue() : Double.NaN,
                    node.path("seconds").doubleValue(),
                    node.path("attempts").intValue(),
                    new LearningCurve(curve),
                    node.path("error").asText(""));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("it is not JSON: " + e.getOriginalMessage(), e);
        }
    }
}
