package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.importer.fixture.Fixture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

class ImportReportJsonTest {
    private static final Fixture FIXTURE = Fixture.named("gpt2-conv1d-op13");

    @TempDir
    Path folder;

    @Test
    void holds_what_the_report_holds() throws IOException {
        ImportReport report = OnnxImporter.inspect(FIXTURE.onnx());
        JsonNode json = new ObjectMapper().readTree(report.json());

        List<String> keys = new ArrayList<>();
        json.fieldNames().forEachRemaining(keys::add);
        assertThat(keys)
                .containsExactly(
                        "schema",
                        "file",
                        "producer",
                        "opset",
                        "nodes",
                        "importable",
                        "inputs",
                        "outputs",
                        "linear_layers",
                        "linear_weights",
                        "expert_layers",
                        "embedding_tables",
                        "not_adapted",
                        "operators",
                        "unsupported",
                        "notes");
        assertThat(json.path("schema").asInt()).isEqualTo(1);
        assertThat(json.path("opset").asInt()).isEqualTo(FIXTURE.opset());
        assertThat(json.path("nodes").asInt()).isEqualTo(report.nodeCount());
        assertThat(json.path("linear_layers")).hasSize(FIXTURE.linear().size());
        assertThat(json.path("inputs").get(0).path("below").asInt()).isEqualTo(FIXTURE.vocab());
        assertThat(json.path("embedding_tables"))
                .hasSize(report.embeddings().size())
                .isNotEmpty();
        int nodes = 0;
        for (JsonNode count : json.path("operators")) {
            nodes += count.asInt();
        }
        assertThat(nodes).isEqualTo(report.nodeCount());
    }

    @Test
    void equal_files_give_equal_texts_and_one_line() {
        String json = OnnxImporter.inspect(FIXTURE.onnx()).json();
        assertThat(OnnxImporter.inspect(FIXTURE.onnx()).json()).isEqualTo(json).doesNotContain("\n");
        assertThat(OnnxImporter.load(FIXTURE.onnx()).report().json()).startsWith("{\"schema\":1,");
    }

    @Test
    void unsupported_operators_have_nodes_and_a_reason() throws IOException {
        Path file = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .named("odd", "NoSuchOperator", "x", "y")
                .output("y", DataType.FLOAT, -1, 4)
                .write(folder);
        JsonNode json = new ObjectMapper().readTree(OnnxImporter.inspect(file).json());

        assertThat(json.path("importable").asBoolean()).isFalse();
        JsonNode unsupported = json.path("unsupported").get(0);
        assertThat(unsupported.path("operator").asText()).isEqualTo("NoSuchOperator");
        assertThat(unsupported.path("nodes").get(0).asText()).isEqualTo("odd");
        assertThat(unsupported.path("reason").asText()).isNotBlank();
    }
}
