package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.io.IOException;
import java.io.InputStream;

/** JSON objects that come and go. */
final class Bodies {
    /** More than any text that a model of this project's size reads. */
    static final int MOST_BYTES = 4 << 20;

    private Bodies() {}

    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    /**
     * Reads the object of a request.
     *
     * @throws ApiException if it is too large, or no JSON object
     */
    static JsonNode read(InputStream body) throws IOException {
        byte[] bytes = body.readNBytes(MOST_BYTES + 1);
        if (bytes.length > MOST_BYTES) {
            throw ApiException.status(413, "the request is longer than " + (MOST_BYTES >> 20) + " MiB");
        }
        JsonNode json;
        try {
            json = JsonFiles.STRICT.readTree(bytes);
        } catch (IOException e) {
            throw ApiException.status(400, "the request is not JSON: " + JsonFiles.reason(e));
        }
        if (json == null || !json.isObject()) {
            throw ApiException.status(400, "the request is no JSON object");
        }
        return json;
    }
}
