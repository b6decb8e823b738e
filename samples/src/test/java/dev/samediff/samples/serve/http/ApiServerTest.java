package dev.samediff.samples.serve.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.ListenAddress;
import dev.samediff.samples.serve.BundledService;
import dev.samediff.samples.serve.ServedModels;
import dev.samediff.samples.serve.WritingDefaults;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiServerTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String TEXT = "/v1/completions";
    private static final int TOKENS = 12;

    @TempDir
    static Path folder;

    private static ServedModels models;
    private static ApiServer server;
    private static Client client;
    private static final List<String> LOG = Collections.synchronizedList(new ArrayList<>());

    @BeforeAll
    static void open() throws IOException {
        models = BundledService.open(folder);
        server = start(Optional.empty());
        client = new Client(server);
    }

    @AfterAll
    static void close() {
        server.close();
        models.close();
    }

    private static ApiServer start(Optional<String> key) {
        return ApiServer.start(
                ListenAddress.ofThisMachine(0),
                key,
                new Service(Optional.of(models), WritingDefaults.greedy(), Optional.empty()),
                LOG::add);
    }

    private static String chat(String model, String more) {
        return "{\"model\": \"" + model + "\", \"max_tokens\": " + TOKENS + more + ", \"messages\": ["
                + "{\"role\": \"system\", \"content\": \"Sums.\"},"
                + "{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"Tom has \"},"
                + " {\"type\": \"text\", \"text\": \"7 pens.\"}]}]}";
    }

    @ParameterizedTest
    @ValueSource(strings = {BundledService.BASE, BundledService.ADAPTER})
    void a_conversation_is_answered_by_the_model_that_is_asked_whole_and_in_pieces(String model) throws Exception {
        String expected = BundledService.written(model, "Sums.\nTom has 7 pens.\n", TOKENS);
        JsonNode answer = client.post(CHAT, chat(model, "")).json();
        assertThat(answer.at("/choices/0/message/content").asText()).isEqualTo(expected);
        assertThat(answer.at("/choices/0/message/role").asText()).isEqualTo("assistant");
        String end = expected.length() < TOKENS ? "stop" : "length"; // a token is a character here
        assertThat(answer.at("/choices/0/finish_reason").asText()).isEqualTo(end);
        assertThat(answer.path("object").asText()).isEqualTo("chat.completion");
        assertThat(answer.path("model").asText()).isEqualTo(model);
        assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(expected.length());
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo("Sums.\nTom has 7 pens.\n".length());
        List<JsonNode> events = client.post(
                        CHAT, chat(model, ", \"stream\": true, \"stream_options\": {\"include_usage\": true}"))
                .events();
        assertThat(events.get(0).at("/choices/0/delta/role").asText()).isEqualTo("assistant");
        assertThat(events.stream()
                        .map(event -> event.at("/choices/0/delta/content").asText())
                        .collect(Collectors.joining()))
                .isEqualTo(expected);
        assertThat(events.get(events.size() - 2).at("/choices/0/finish_reason").asText())
                .isEqualTo(end);
        assertThat(events.get(events.size() - 1).path("usage")).isEqualTo(answer.path("usage"));
        assertThat(events)
                .allSatisfy(event -> assertThat(event.path("object").asText()).isEqualTo("chat.completion.chunk"));
        assertThat(events.stream().map(event -> event.path("id").asText()).distinct())
                .hasSize(1);
    }

    @Test
    void prompts_are_completed_each_until_its_end() throws Exception {
        String one = BundledService.written(BundledService.BASE, "Tom has 7 pens.", TOKENS);
        String body = "{\"prompt\": [\"Tom has 7 pens.\", \"Anna\"], \"max_tokens\": " + TOKENS;
        JsonNode answer = client.post(TEXT, body + "}").json();
        assertThat(answer.path("choices")).hasSize(2);
        assertThat(answer.at("/choices/0/text").asText()).isEqualTo(one);
        assertThat(answer.at("/choices/1/index").asInt()).isEqualTo(1);
        List<JsonNode> events = client.post(TEXT, body + ", \"stream\": true}").events();
        for (int index : new int[] {0, 1}) {
            assertThat(events.stream()
                            .map(event -> event.at("/choices/0"))
                            .filter(choice -> choice.path("index").asInt() == index)
                            .map(choice -> choice.path("text").asText())
                            .collect(Collectors.joining()))
                    .isEqualTo(answer.at("/choices/" + index + "/text").asText());
        }
        String cut = one.substring(3, 5);
        JsonNode stopped = client.post(
                        TEXT,
                        "{\"prompt\": \"Tom has 7 pens.\", \"max_completion_tokens\": " + TOKENS + ", \"stop\": "
                                + Bodies.object().textNode(cut) + "}")
                .json();
        assertThat(stopped.at("/choices/0/text").asText()).isEqualTo(one.substring(0, one.indexOf(cut)));
        assertThat(stopped.at("/choices/0/finish_reason").asText()).isEqualTo("stop");
    }

    @Test
    void draws_are_those_of_the_seed_and_others_without_one() throws Exception {
        String hot = "{\"prompt\": \"Tom\", \"max_tokens\": 20, \"temperature\": 3, \"top_p\": 0.99, \"top_k\": -1";
        String first = text(hot + ", \"seed\": 4}");
        assertThat(text(hot + ", \"seed\": 4}")).isEqualTo(first);
        assertThat(text(hot + ", \"seed\": 5}")).isNotEqualTo(first);
        assertThat(text(hot + "}")).isNotEqualTo(text(hot + "}"));
        String cold = text("{\"prompt\": \"Tom\", \"max_tokens\": 20}");
        assertThat(text("{\"prompt\": \"Tom\", \"max_tokens\": 20, \"temperature\": 0, \"top_p\": 0.5, \"top_k\": 3}"))
                .isEqualTo(cold);
        assertThat(text("{\"prompt\": \"Tom\", \"max_tokens\": 20, \"temperature\": 2, \"top_p\": 0}"))
                .isEqualTo(cold);
    }

    private static String text(String body) throws IOException, InterruptedException {
        return client.post(TEXT, body).json().at("/choices/0/text").asText();
    }

    @Test
    void many_requests_at_a_time_get_each_its_own_answer() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<String> names = List.of(BundledService.BASE, BundledService.ADAPTER);
            List<String> expected = new ArrayList<>();
            for (String name : names) {
                expected.add(BundledService.written(name, "Sums.\nTom has 7 pens.\n", TOKENS));
            }
            List<Future<String>> answers = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                String body = chat(names.get(i % 2), "");
                answers.add(threads.submit(() -> client.post(CHAT, body)
                        .json()
                        .at("/choices/0/message/content")
                        .asText()));
            }
            for (int i = 0; i < answers.size(); i++) {
                assertThat(answers.get(i).get()).isEqualTo(expected.get(i % 2));
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void models_are_listed() throws Exception {
        JsonNode list = client.get("/v1/models").json();
        assertThat(list.path("data").findValuesAsText("id"))
                .containsExactly(BundledService.BASE, BundledService.ADAPTER);
        assertThat(client.get("/health").status()).isEqualTo(200);
    }

    /** OpenAI's clients ask for it: models.retrieve. */
    @Test
    void one_model_is_described_by_its_name() throws Exception {
        JsonNode one = client.get("/v1/models/" + BundledService.ADAPTER).json();
        assertThat(one.path("id").asText()).isEqualTo(BundledService.ADAPTER);
        assertThat(one.path("object").asText()).isEqualTo("model");
        assertThat(client.get("/v1/models/gpt-4o").status()).isEqualTo(404);
        assertThat(client.get("/v1/models/gpt-4o")
                        .json()
                        .path("error")
                        .path("code")
                        .asText())
                .isEqualTo("model_not_found");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | messages | there are no messages",
                "{\"messages\": []} | messages | expected a list",
                "{\"messages\": [{\"role\": \"user\"}]} | messages[0].content | expected a string",
                "{\"messages\": [{\"role\": 3, \"content\": \"a\"}]} | messages[0] | expected {\"role\"",
                "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]} | messages[0].content | nothing else can be read",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"temperature\": -1} | temperature | expected a number from 0.0",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"max_tokens\": 0} | max_tokens | from 1",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"max_tokens\": 1.5} | max_tokens | a whole number",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"n\": 2} | n | only 1 is possible",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"tools\": [{}]} | tools | not possible",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"response_format\": {\"type\": \"json_object\"}} | response_format | no other form",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"temprature\": 1} | temprature | there is no field `temprature`",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"stop\": [\"\"]} | | empty stop string",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"stop\": [3]} | stop | a list of strings",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"stream\": 1} | stream | true or false",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"stream_options\": {}} | stream_options | leave it out",
                "{\"messages\": 1, \"messages\": 2} | | not JSON",
                "[1] | | no JSON object",
                "{\"a\": | | not JSON",
            })
    void what_cannot_be_answered_is_refused_by_the_name_of_its_field(String body, String field, String said)
            throws Exception {
        Client.Answer answer = client.post(CHAT, body);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.error().path("message").asText()).contains(said);
        assertThat(answer.error().path("param").asText(null)).isEqualTo(field);
        assertThat(answer.error().path("type").asText()).isEqualTo("invalid_request_error");
    }

    @Test
    void errors_have_the_codes_that_clients_look_at() throws Exception {
        Client.Answer unknown = client.post(CHAT, chat("nobody", ""));
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(unknown.error().path("code").asText()).isEqualTo("model_not_found");
        Client.Answer tooLong = client.post(TEXT, "{\"prompt\": \"" + "x".repeat(5000) + "\", \"stream\": true}");
        assertThat(tooLong.status()).isEqualTo(400);
        assertThat(tooLong.error().path("code").asText()).isEqualTo("context_length_exceeded");
        assertThat(client.get("/v1/nothing").status()).isEqualTo(404);
        assertThat(client.get(CHAT).status()).isEqualTo(405);
        assertThat(client.post(TEXT, "{\"prompt\": \"" + "x".repeat(Bodies.MOST_BYTES) + "\"}")
                        .status())
                .isEqualTo(413);
        assertThat(client.post(CHAT, "{\"messages\": " + "[".repeat(100_000) + "}")
                        .status())
                .isEqualTo(400);
    }

    @Test
    void pages_in_a_browser_of_this_machine_cannot_ask() throws Exception {
        Client.Answer simple = client.send(client.request(TEXT)
                .header("Content-Type", "text/plain")
                .POST(HttpRequest.BodyPublishers.ofString("{\"prompt\": \"Tom\"}")));
        assertThat(simple.status()).isEqualTo(415);
        assertThat(client.send(client.request(TEXT).method("OPTIONS", HttpRequest.BodyPublishers.noBody()))
                        .response()
                        .headers()
                        .map())
                .doesNotContainKey("Access-Control-Allow-Origin");
        assertThat(raw("GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 403");
        assertThat(raw("GET /v1/models HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200");
    }

    private static String raw(String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
                OutputStream out = socket.getOutputStream()) {
            out.write(request.getBytes(StandardCharsets.US_ASCII));
            out.flush();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void a_key_is_asked_for_if_there_is_one() throws Exception {
        try (ApiServer locked = start(Optional.of("secret"))) {
            Client other = new Client(locked);
            assertThat(other.get("/v1/models").status()).isEqualTo(401);
            assertThat(other.send(other.request("/v1/models").header("Authorization", "Bearer wrong"))
                            .status())
                    .isEqualTo(401);
            assertThat(other.send(other.request("/v1/models").header("Authorization", "Bearer secret"))
                            .status())
                    .isEqualTo(200);
        }
    }

    @Test
    void a_client_that_goes_away_ends_its_text() throws Exception {
        LOG.clear();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            String body = "{\"prompt\": \"Tom\", \"stream\": true, \"temperature\": 1, \"seed\": 1}";
            socket.getOutputStream()
                    .write(("POST " + TEXT + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                    + "Content-Length: " + body.length() + "\r\n\r\n" + body)
                            .getBytes(StandardCharsets.US_ASCII));
            assertThat(socket.getInputStream().read()).isPositive();
            socket.setSoLinger(true, 0); // the connection is broken, not ended
        }
        assertThat(client.post(CHAT, chat(BundledService.BASE, "")).status()).isEqualTo(200);
        for (int i = 0; i < 1000 && LOG.size() < 2; i++) {
            Thread.sleep(20);
        }
        assertThat(LOG).hasSize(2).allMatch(line -> line.startsWith("POST /v1/"));
    }

    @Test
    void a_port_that_is_taken_is_a_sentence() {
        assertThatThrownBy(() -> ApiServer.start(
                        ListenAddress.ofThisMachine(server.port()),
                        Optional.empty(),
                        new Service(Optional.of(models), WritingDefaults.greedy(), Optional.empty()),
                        LOG::add))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("give another --port");
    }
}
