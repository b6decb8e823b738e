package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.task.ResizedVocabulary;
import dev.samediff.importer.fixture.Fixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Imported language models with new tokens. */
class ResizedVocabularyImportTest {
    @TempDir
    Path folder;

    /** The importer writes sizes that the file knows into shapes, that of the scores among them. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt2-linear-op14", "llama-op17", "bert-mlm-op17"})
    void a_file_that_knows_its_vocabulary_is_refused_with_what_to_do(String name) {
        ImportedModel imported = OnnxImporter.load(Fixture.named(name).onnx());
        int rows = imported.embeddings().get(0).rows();
        assertThatThrownBy(() -> ResizedVocabulary.of(imported, rows + 3))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("cannot be resized: the op `")
                .hasMessageContaining("resize_token_embeddings");
    }

    @Test
    void a_table_that_has_grown_takes_new_tokens_and_goes_into_no_file() {
        ImportedModel imported = OnnxImporter.load(Fixture.named("llama-op17").onnx());
        EmbeddingTable table = imported.embeddings().get(0);
        Map<String, INDArray> inputs = Map.of("input_ids", Nd4j.createFromArray(new long[][] {{table.rows() + 2}}));
        assertThatThrownBy(() -> imported.requireValid(inputs)).hasMessageContaining("0 to " + (table.rows() - 1));
        INDArray former = imported.graph().getVariable(table.weight()).getArr();
        new GraphEditor(imported.graph())
                .replaceArray(
                        table.weight(), Nd4j.concat(0, former, Nd4j.zeros(former.dataType(), 3, table.columns())));
        imported.requireValid(inputs);
        assertThatThrownBy(() -> OnnxWriter.writeMerged(imported, Map.of(), folder.resolve("m.onnx")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("the vocabulary was resized after the import")
                .hasMessageContaining("SameDiff.save");
        assertThat(folder.resolve("m.onnx")).doesNotExist();
    }

    @Test
    void a_model_is_called_what_its_configuration_says_or_by_its_path() throws IOException {
        Path file = Files.copy(Fixture.named("llama-op17").onnx(), folder.resolve("model.onnx"));
        ImportedModel imported = OnnxImporter.load(file);
        assertThat(imported.name()).contains(file.toAbsolutePath().normalize().toString());
        Path config = folder.resolve("config.json");
        for (String broken :
                List.of("", "{", "[]", "null", "{\"_name_or_path\": \"\"}", "{\"decoder_start_token_id\": -1}")) {
            Files.writeString(config, broken);
            assertThat(HubConfig.beside(file)).isEqualTo(HubConfig.beside(folder.resolve("no/model.onnx")));
        }
        Files.writeString(config, "{\"_name_or_path\": \"hub/tiny\", \"decoder_start_token_id\": 0}");
        assertThat(imported.name()).contains("hub/tiny");
        assertThat(HubConfig.beside(folder).decoderStart()).contains(0);
    }
}
