package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import dev.samediff.samples.serve.ServedModel;
import dev.samediff.samples.serve.ServedModels;
import java.io.IOException;
import java.util.List;

/**
 * {@code GET /v1/models}, {@code GET /v1/models/NAME}, and the field {@code model} of other requests.
 *
 * @param names the names that can be asked for
 * @param started seconds since 1970
 */
record Models(List<String> names, long started) implements Endpoint {
    static final String PATH = "/v1/models";

    @Override
    public void answer(JsonNode body, Reply reply) throws IOException {
        ObjectNode json = Bodies.object().put("object", "list");
        ArrayNode data = json.putArray("data");
        names.forEach(name -> describe(name, data.addObject()));
        reply.send(200, json);
    }

    /** Returns who answers for one of the models. */
    Endpoint one(String name) {
        return (body, reply) -> {
            if (!names.contains(name)) {
                throw unknown(name, names);
            }
            reply.send(200, describe(name, Bodies.object()));
        };
    }

    private ObjectNode describe(String name, ObjectNode json) {
        return json.put("id", name)
                .put("object", "model")
                .put("created", started)
                .put("owned_by", "local");
    }

    /** Returns the model that a request asks for: by name, or the base model if it names none. */
    static ServedModel asked(Fields fields, ServedModels models) {
        List<ServedModel> all = models.all();
        return fields.text("model")
                .map(name -> models.find(name)
                        .orElseThrow(() -> unknown(
                                name, all.stream().map(ServedModel::name).toList())))
                .orElse(all.get(0));
    }

    /** Checks that a request asks for the only model there is, or names none. */
    static void requireAsked(Fields fields, String only) {
        fields.text("model").filter(name -> !name.equals(only)).ifPresent(name -> {
            throw unknown(name, List.of(only));
        });
    }

    private static ApiException unknown(String name, List<String> names) {
        return ApiException.coded(
                404,
                "model",
                "model_not_found",
                "there is no model `" + JsonFiles.excerpt(name) + "` here; there are " + names);
    }
}
