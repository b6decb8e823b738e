package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.samples.learn.Answers;
import dev.samediff.samples.learn.Embedded;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;

/**
 * {@code POST /v1/embeddings}: vectors of length 1, as numbers or as the base64 of their bytes (float32, least byte first).
 *
 * @param name the model's name
 * @param answers a run of the task embed
 * @param tokenizer counts tokens
 */
record EmbeddingEndpoint(String name, Answers answers, Tokenizer tokenizer) implements Endpoint {
    private static final String INPUT = "input";
    private static final String FORMAT = "encoding_format";
    private static final String BASE64 = "base64";

    @Override
    public void answer(JsonNode body, Reply reply) throws IOException {
        Fields fields = new Fields(body);
        Models.requireAsked(fields, name);
        List<String> texts = input(fields);
        String format = fields.text(FORMAT).orElse("float");
        if (!format.equals("float") && !format.equals(BASE64)) {
            throw ApiException.of(FORMAT, FORMAT + " is " + format + "; expected float or base64");
        }
        fields.any("dimensions").ifPresent(size -> {
            throw ApiException.of("dimensions", "the vectors have the dimensions that they have; leave dimensions out");
        });
        fields.requireRead();
        ObjectNode json = Bodies.object().put("object", "list");
        ArrayNode data = json.putArray("data");
        for (Answers.Answer answer : answers.of(texts, 1)) {
            float[] vector = ((Embedded) answer.json()).vector();
            ObjectNode one = data.addObject().put("object", "embedding").put("index", data.size() - 1);
            if (format.equals(BASE64)) {
                one.put("embedding", base64(vector));
            } else {
                ArrayNode numbers = one.putArray("embedding");
                for (float number : vector) {
                    numbers.add(number);
                }
            }
        }
        int tokens = texts.stream()
                .mapToInt(text -> tokenizer.encodeFramed(text).length)
                .sum();
        json.put("model", name);
        json.putObject("usage").put("prompt_tokens", tokens).put("total_tokens", tokens);
        reply.send(200, json);
    }

    /** Returns the texts of a request: one or several, none of them empty. */
    static List<String> input(Fields fields) {
        List<String> texts = fields.texts(INPUT);
        if (texts.isEmpty() || texts.contains("")) {
            throw ApiException.of(
                    INPUT, "there is no input, or an empty text in it; a text or a list of texts is needed");
        }
        return texts;
    }

    private static String base64(float... vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float number : vector) {
            bytes.putFloat(number);
        }
        return Base64.getEncoder().encodeToString(bytes.array());
    }
}
