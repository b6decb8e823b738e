package dev.samediff.tuning.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.space.JsonAt;
import dev.samediff.tuning.space.ParameterValues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

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

    /**
     * Reads a line.
     *
     * @throws InvalidInputException with the reason, if it is no trial
     */
    static TrialResult parse(String line) {
        JsonAt trial = JsonAt.parse(line);
        Map<String, Object> parameters = new LinkedHashMap<>();
        trial.at("parameters")
                .entries()
                .forEach(entry -> parameters.put(entry.key(), entry.value().value()));
        TrialState state = state(trial.at("state"));
        JsonAt error = trial.at("error");
        return new TrialResult(
                count(trial.at("index")),
                new ParameterValues(parameters),
                state,
                score(trial.at("score"), state),
                notNegative(trial.at("seconds")),
                count(trial.at("attempts")),
                curve(trial.at("curve")),
                error.exists() ? error.text() : "");
    }

    private static int count(JsonAt at) {
        if (at.whole() < 0) {
            throw at.wrong("a whole number, 0 or more");
        }
        return at.whole();
    }

    private static double notNegative(JsonAt at) {
        if (at.number() < 0) {
            throw at.wrong("a number, 0 or more");
        }
        return at.number();
    }

    private static TrialState state(JsonAt at) {
        String key = at.text();
        return Arrays.stream(TrialState.values())
                .filter(state -> state.key().equals(key))
                .findFirst()
                .orElseThrow(() -> at.wrong("one of "
                        + Arrays.stream(TrialState.values())
                                .map(TrialState::key)
                                .collect(Collectors.joining(", "))));
    }

    private static double score(JsonAt at, TrialState state) {
        boolean isNull = at.node().isNull();
        if (isNull && state == TrialState.COMPLETE) {
            throw at.wrong("a finite number, as the trial is complete");
        }
        if (!isNull && state == TrialState.FAILED) {
            throw at.wrong("null, as the trial failed");
        }
        return isNull ? Double.NaN : at.number();
    }

    private static LearningCurve curve(JsonAt at) {
        List<LearningCurve.Point> points = new ArrayList<>();
        for (JsonAt pair : at.items()) {
            List<JsonAt> numbers = pair.items();
            if (numbers.size() != 2) {
                throw pair.wrong("[step, value]");
            }
            long step = numbers.get(0).count();
            if (!points.isEmpty() && step <= points.get(points.size() - 1).step()) {
                throw numbers.get(0)
                        .wrong("a later step than "
                                + points.get(points.size() - 1).step());
            }
            points.add(new LearningCurve.Point(step, numbers.get(1).number()));
        }
        return new LearningCurve(points);
    }
}
