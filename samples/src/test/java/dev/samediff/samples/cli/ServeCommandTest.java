package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.samples.output.Json;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServeCommandTest {
    @TempDir
    Path folder;

    @Test
    void the_bundled_model_answers_until_a_signal_comes() throws Exception {
        Running running = Running.start(folder, "serve", "--port", "0", "--max-tokens", "5", "--name", "story");
        try {
            String where = new BufferedReader(
                            new InputStreamReader(running.process().getInputStream(), StandardCharsets.UTF_8))
                    .readLine();
            assertThat(where).as(running.said()).startsWith("listening to http://localhost:");
            HttpResponse<String> answer = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(
                                            URI.create(where.substring("listening to ".length()) + "/completions"))
                                    .header("Content-Type", "application/json")
                                    .POST(HttpRequest.BodyPublishers.ofString(
                                            "{\"model\": \"story\", \"prompt\": \"Tom\"}"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            String text = Json.parse(answer.body()).at("/choices/0/text").asText();
            Run generated = Run.of("generate", "--prompt", "Tom", "--max-tokens", "5");
            assertThat(text).isEqualTo(generated.out().replaceFirst("\\R$", ""));
            assertThat(running.signal("TERM")).isEqualTo(143);
            assertThat(running.said())
                    .contains("models: [story]", "POST /v1/completions 200", "stopping")
                    .doesNotContain("warning", "Exception");
        } finally {
            running.kill();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "--port 70000, nobody can listen to port 70000",
        "--workers 0, 1 or more",
        "--adapter a=DIR, no adapter",
        "--adapter bundled=DIR, two models are called",
        "--api-key-file DIR, ",
        "--port 0 --host no.such.host.invalid, no such address",
        "--run DIR, ",
        "--run DIR --adapter a=DIR, needs the --model",
        "--top-k 3, at temperature 0",
        "--chat-template nosuch, no chat template",
    })
    void what_cannot_be_served_is_one_sentence(String options, String said) throws Exception {
        Files.createDirectory(folder.resolve("DIR"));
        Run run =
                Run.of(("serve " + options.replace("DIR", folder.resolve("DIR").toString())).split(" "));
        assertThat(run.exitCode()).as(run.err()).isEqualTo(2);
        assertThat(run.error()).contains(said == null ? "" : said).doesNotContain("Exception");
    }
}
