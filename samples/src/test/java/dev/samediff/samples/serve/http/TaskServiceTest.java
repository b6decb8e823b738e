package dev.samediff.samples.serve.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.io.ListenAddress;
import dev.samediff.samples.cli.Cli;
import dev.samediff.samples.learn.TaskRun;
import dev.samediff.samples.serve.WritingDefaults;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TaskServiceTest {
    private static final Path MODELS = Path.of("src/test/resources/tasks");

    @TempDir
    Path folder;

    private TaskRun<?> trained(String task, String... lines) throws IOException {
        Path data = folder.resolve("data.csv");
        Files.writeString(data, String.join("\n", lines) + "\n");
        StringWriter said = new StringWriter();
        int exit = Cli.execute(
                new PrintWriter(said),
                new PrintWriter(said),
                "finetune",
                "--task",
                task,
                "--model",
                MODELS.resolve("encoder.onnx").toString(),
                "--tokenizer",
                MODELS.resolve("letters.json").toString(),
                "--train",
                data.toString(),
                "--eval",
                data.toString(),
                "--steps",
                "2",
                "--batch",
                "2",
                "--out",
                folder.resolve("run").toString());
        assertThat(exit).as(said.toString()).isZero();
        return TaskRun.of(folder.resolve("run"), Optional.empty(), Optional.empty());
    }

    private static ApiServer serve(String kind, TaskRun.Service service) {
        return ApiServer.start(
                ListenAddress.ofThisMachine(0),
                Optional.empty(),
                new Service(
                        Optional.empty(),
                        WritingDefaults.greedy(),
                        Optional.of(new Service.Task("mine", kind, service.answers(), service.tokenizer()))),
                line -> {});
    }

    @Test
    void vectors_come_as_numbers_or_bytes_and_are_those_of_predict() throws Exception {
        try (TaskRun.Service service =
                        trained("embed", "anchor,positive", "aaa,bb", "zzz,yy").answers();
                ApiServer server = serve("embed", service)) {
            Client client = new Client(server);
            JsonNode numbers = client.post("/v1/embeddings", "{\"model\": \"mine\", \"input\": [\"aaa\", \"yy\"]}")
                    .json();
            assertThat(numbers.path("data")).hasSize(2);
            JsonNode predicted =
                    client.post("/v1/predict", "{\"input\": [\"aaa\", \"yy\"]}").json();
            JsonNode bytes = client.post("/v1/embeddings", "{\"input\": \"yy\", \"encoding_format\": \"base64\"}")
                    .json();
            JsonNode second = numbers.at("/data/1/embedding");
            ByteBuffer decoded = ByteBuffer.wrap(Base64.getDecoder()
                            .decode(bytes.at("/data/0/embedding").asText()))
                    .order(ByteOrder.LITTLE_ENDIAN);
            assertThat(decoded.remaining()).isEqualTo(4 * second.size());
            double length = 0;
            for (int i = 0; i < second.size(); i++) {
                assertThat((double) decoded.getFloat()).isCloseTo(second.get(i).asDouble(), within(1e-6));
                assertThat(predicted.at("/data/1/prediction/vector").get(i).asDouble())
                        .isCloseTo(second.get(i).asDouble(), within(1e-6));
                length += Math.pow(second.get(i).asDouble(), 2);
            }
            assertThat(length).isCloseTo(1, within(1e-5));
            assertThat(numbers.at("/usage/prompt_tokens").asInt()).isPositive();
            assertThat(client.post("/v1/embeddings", "{\"input\": [1, 2]}").status())
                    .isEqualTo(400);
            assertThat(client.post("/v1/embeddings", "{\"input\": \"\"}").status())
                    .isEqualTo(400);
            assertThat(client.post("/v1/embeddings", "{\"input\": \"a\", \"model\": \"other\"}")
                            .status())
                    .isEqualTo(404);
            assertThat(client.post("/v1/chat/completions", "{}").status()).isEqualTo(404);
        }
    }

    @Test
    void classes_are_predicted() throws Exception {
        try (TaskRun.Service service = trained("classify", "text,label", "aaa,first", "zzz,last")
                        .answers();
                ApiServer server = serve("classify", service)) {
            Client client = new Client(server);
            JsonNode answer = client.post("/v1/predict", "{\"input\": \"aaa\", \"top\": 2}")
                    .json();
            assertThat(answer.at("/data/0/prediction").toString()).contains("first", "last");
            assertThat(client.post("/v1/embeddings", "{\"input\": \"a\"}").status())
                    .isEqualTo(404);
        }
    }
}
