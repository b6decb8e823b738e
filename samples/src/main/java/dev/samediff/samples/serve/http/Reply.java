package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The answer to a request: one JSON object, or events ({@code text/event-stream}), the first of which begins the answer. */
final class Reply {
    private final HttpExchange exchange;
    private int status;
    private @Nullable OutputStream events;

    Reply(HttpExchange exchange) {
        this.exchange = exchange;
    }

    /** Returns the status that was sent; 0 before. */
    int status() {
        return status;
    }

    /** Sends an object, and nothing else. */
    void send(int code, JsonNode json) throws IOException {
        byte[] bytes = (json + "\n").getBytes(StandardCharsets.UTF_8);
        begin(code, "application/json", bytes.length);
        try (OutputStream body = exchange.getResponseBody()) {
            body.write(bytes);
        }
    }

    /** Sends an event. */
    void event(JsonNode json) throws IOException {
        event(json.toString());
    }

    /** Sends the event that OpenAI's API ends with. */
    void end() throws IOException {
        event("[DONE]");
        if (events != null) {
            events.close();
        }
    }

    private void event(String data) throws IOException {
        if (events == null) {
            exchange.getResponseHeaders().set("Cache-Control", "no-store");
            begin(200, "text/event-stream", 0);
            events = exchange.getResponseBody();
        }
        events.write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
        events.flush();
    }

    private void begin(int code, String type, long length) throws IOException {
        status = code;
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
        exchange.sendResponseHeaders(code, length);
    }

    /** Says that the work failed, in whichever way is still possible. */
    void fail(ApiException why) throws IOException {
        if (events != null) {
            event(why.json());
            events.close();
        } else if (status == 0) {
            send(why.status(), why.json());
        }
    }
}
