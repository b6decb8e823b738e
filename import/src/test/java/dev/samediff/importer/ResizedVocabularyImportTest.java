package dev.samediff.importer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.importer.fixture.Fixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Imported language models with new tokens. */
class ResizedVocabularyImportTest {
    @TempDir
    Path folder;

    private static final int MORE = 3;

    static Stream<Fixture> models() {
        return Fixture.all().stream().filter(fixture -> fixture.name().matches("(gpt2|llama|bert-mlm).*"));
    }

    private static Map<String, INDArray> outputs(ImportedModel model, Map<String, INDArray> inputs) {
        return OnnxVerifier.run(model, inputs);
    }

    /** The scores are the only output with an axis of all tokens. */
    private static String scores(ImportedModel model, int tokens) {
        return model.outputs().stream()
                .filter(output -> output.dims().get(output.dims().size() - 1).equals(String.valueOf(tokens)))
                .findFirst()
                .orElseThrow()
                .name();
    }

    @ParameterizedTest
    @MethodSource("models")
    void a_larger_vocabulary_keeps_the_scores_and_is_written_as_a_larger_model(Fixture fixture) {
        ImportedModel small = OnnxImporter.load(fixture.onnx());
        int tokens = fixture.vocab() + MORE;
        ImportedModel large = small.resizeTokenEmbeddings(tokens);
        Map<String, INDArray> inputs = fixture.samples().get(0).inputs();
        INDArray before = outputs(small, inputs).get(scores(small, fixture.vocab()));
        INDArray after = outputs(large, inputs).get(scores(large, tokens));
        assertThat(after.size(-1)).isEqualTo(tokens);
        INDArray old = after.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(0, fixture.vocab()));
        assertThat(old.sub(before).amaxNumber().doubleValue()).isLessThan(1e-5);
        INDArray added = after.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(fixture.vocab(), tokens));
        INDArray mean = before.mean(true, 2);
        assertThat(added.sub(mean.broadcast(added.shape())).amaxNumber().doubleValue()).isLessThan(1e-4);

        Path file = folder.resolve("large.onnx");
        OnnxWriter.writeMerged(large, Map.of(), file);
        Verification verification = OnnxVerifier.verify(file, 1e-4, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
        ImportedModel written = OnnxImporter.load(file);
        assertThatBits(outputs(written, inputs).get(scores(written, tokens))).isEqualTo(after);
        assertThat(written.embeddings().stream().map(EmbeddingTable::rows)).contains(tokens);
    }
    @Test
    void a_model_that_scores_no_tokens_gets_a_larger_table_and_answers_as_before() {
        Fixture fixture = Fixture.named("bert-cls-op13");
        ImportedModel small = OnnxImporter.load(fixture.onnx());
        ImportedModel large = small.resizeTokenEmbeddings(fixture.vocab() + MORE);
        Map<String, INDArray> inputs = fixture.samples().get(0).inputs();
        assertThatBits(List.copyOf(outputs(large, inputs).values()))
                .isEqualTo(List.copyOf(outputs(small, inputs).values()));
        inputs.get("input_ids").putScalar(0, fixture.vocab() + 1);
        assertThatThrownBy(() -> small.requireValid(inputs)).hasMessageContaining("can be looked up");
        assertThat(outputs(large, inputs)).isNotEmpty();
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
