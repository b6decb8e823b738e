package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.samples.learn.Answers;
import dev.samediff.samples.serve.ServedModel;
import dev.samediff.samples.serve.ServedModels;
import dev.samediff.samples.serve.WritingDefaults;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a server offers.
 *
 * @param models write texts, if any do
 * @param usual what holds for fields that a request leaves out
 * @param task a model trained for a task, if there is one
 */
public record Service(Optional<ServedModels> models, WritingDefaults usual, Optional<Task> task) {
    /**
     * A model trained for a task.
     *
     * @param name its name
     * @param kind the task's name
     * @param answers answers texts
     * @param tokenizer its tokenizer
     */
    public record Task(String name, String kind, Answers answers, Tokenizer tokenizer) {}

    private static final String EMBED = "embed";
    private static final String GET = "GET";
    private static final String POST = "POST";

    /** Returns the names of all models. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        models.ifPresent(some -> some.all().stream().map(ServedModel::name).forEach(names::add));
        task.map(Task::name).ifPresent(names::add);
        return names;
    }

    /** Returns who answers, by path and method. */
    Map<String, Map<String, Endpoint>> endpoints(TextWriter writer, Models list) {
        Map<String, Map<String, Endpoint>> all = new LinkedHashMap<>();
        all.put(
                "/health",
                Map.of(
                        GET,
                        (body, reply) -> reply.send(
                                200, JsonNodeFactory.instance.objectNode().put("status", "ok"))));
        all.put(Models.PATH, Map.of(GET, list));
        models.ifPresent(some -> {
            all.put("/v1/chat/completions", Map.of(POST, new ChatEndpoint(some, usual, writer)));
            all.put("/v1/completions", Map.of(POST, new CompletionEndpoint(some, usual, writer)));
        });
        task.ifPresent(one -> {
            all.put("/v1/predict", Map.of(POST, new PredictionEndpoint(one.name(), one.answers())));
            if (one.kind().equals(EMBED)) {
                all.put(
                        "/v1/embeddings",
                        Map.of(POST, new EmbeddingEndpoint(one.name(), one.answers(), one.tokenizer())));
            }
        });
        return all;
    }
}
