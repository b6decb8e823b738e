package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;

/** Answers the requests of one method and path. */
@FunctionalInterface
interface Endpoint {
    /**
     * Answers.
     *
     * @param body the request's object; an empty one of GET
     * @param reply takes the answer
     * @throws ApiException if it cannot be answered
     * @throws dev.samediff.adapters.InvalidInputException likewise
     */
    void answer(JsonNode body, Reply reply) throws IOException;
}
