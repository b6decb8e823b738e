package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

/** Asks a server. */
record Client(ApiServer server) {
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    record Answer(int status, String body, HttpResponse<String> response) {
        JsonNode json() {
            return Json.parse(body);
        }

        JsonNode error() {
            return json().path("error");
        }

        /** The events but the last, which must be the end. */
        List<JsonNode> events() {
            List<JsonNode> events = new ArrayList<>();
            boolean ended = false;
            for (String line : body.split("\n\n")) {
                if (ended || !line.startsWith("data: ")) {
                    throw new AssertionError("not an event: " + line);
                }
                ended = line.equals("data: [DONE]");
                if (!ended) {
                    events.add(Json.parse(line.substring("data: ".length())));
                }
            }
            if (!ended) {
                throw new AssertionError("no end: " + body);
            }
            return events;
        }
    }

    Answer post(String path, String body) throws IOException, InterruptedException {
        return send(request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    Answer get(String path) throws IOException, InterruptedException {
        return send(request(path).GET());
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://localhost:" + server.port() + path));
    }

    Answer send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        return new Answer(response.statusCode(), response.body(), response);
    }
}
