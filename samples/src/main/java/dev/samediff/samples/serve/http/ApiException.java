package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/** Why a request is not answered, as OpenAI's API says it: {@code {"error": {"message", "type", "param", "code"}}}. */
final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private static final String INVALID = "invalid_request_error";

    private final int status;
    private final String type;
    private final @Nullable String field;
    private final @Nullable String code;

    private ApiException(int status, String type, @Nullable String field, @Nullable String code, String message) {
        super(message);
        this.status = status;
        this.type = type;
        this.field = field;
        this.code = code;
    }

    /** A field that cannot be used. */
    static ApiException of(String field, String message) {
        return new ApiException(400, INVALID, field, null, message);
    }

    /** The same with a code that clients look at. */
    static ApiException coded(int status, String field, String code, String message) {
        return new ApiException(status, INVALID, field, code, message);
    }

    /** A request that cannot be used. */
    static ApiException status(int status, String message) {
        return new ApiException(status, INVALID, null, null, message);
    }

    /** Work that did not succeed. */
    static ApiException failed(int status, String message) {
        return new ApiException(status, "server_error", null, null, message);
    }

    int status() {
        return status;
    }

    /** Returns what the client reads. */
    ObjectNode json() {
        ObjectNode json = Bodies.object();
        json.putObject("error")
                .put("message", getMessage())
                .put("type", type)
                .put("param", field)
                .put("code", code);
        return json;
    }
}
