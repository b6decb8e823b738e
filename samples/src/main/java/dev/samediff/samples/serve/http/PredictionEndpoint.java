package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.samples.learn.Answers;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.util.List;

/**
 * {@code POST /v1/predict}: what a model trained for a task says of texts, as {@code samples/run predict --json}. OpenAI's API has nothing of the
 * kind.
 *
 * @param name the model's name
 * @param answers who answers
 */
record PredictionEndpoint(String name, Answers answers) implements Endpoint {
    private static final int MOST_CLASSES = 1000;

    @Override
    public void answer(JsonNode body, Reply reply) throws IOException {
        Fields fields = new Fields(body);
        Models.requireAsked(fields, name);
        List<String> texts = EmbeddingEndpoint.input(fields);
        int top = fields.whole("top", 1, MOST_CLASSES).orElse(1);
        fields.requireRead();
        ObjectNode json = Bodies.object().put("object", "list").put("model", name);
        ArrayNode data = json.putArray("data");
        for (Answers.Answer answer : answers.of(texts, top)) {
            ObjectNode one = data.addObject().put("object", "prediction").put("index", data.size() - 1);
            one.set("prediction", Json.parse(Json.line(answer.json())));
        }
        reply.send(200, json);
    }
}
