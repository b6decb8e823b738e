package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.task.ResizedVocabulary;
import dev.samediff.importer.fixture.Fixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Imported language models with new tokens. */
class ResizedVocabularyImportTest {
    @TempDir
    Path folder;

    private static INDArray logits(ImportedModel model, Map<String, INDArray> inputs) {
        model.requireValid(inputs);
        String name = model.outputs().get(0).variable();
        try (Engine engine = new ReferenceEngine(model.graph(), "", List.of())) {
            return Objects.requireNonNull(engine.outputs(inputs, List.of(name)).get(name));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gpt2-linear-op14",
                "gpt2-gemm-tied-unfolded-op14",
                "llama-op17",
                "llama-tied-op14",
                "bert-mlm-op17"
            })
    void old_tokens_keep_their_scores_and_new_ones_can_be_read(String name) {
        Fixture fixture = Fixture.named(name);
        Map<String, INDArray> inputs = new HashMap<>(fixture.samples().get(0).inputs());
        ImportedModel imported = OnnxImporter.load(fixture.onnx());
        INDArray before = logits(imported, inputs);
        int size = (int) before.size(2);
        ResizedVocabulary resized = ResizedVocabulary.of(imported, size + 3);
        AdaptedModel model =
                AdaptedModel.inject(imported, AdapterConfig.of(Lora.rank(2)).withTrainableTokens(resized.added()));
        INDArray after = logits(imported, inputs);
        assertThat(after.size(2)).isEqualTo(size + 3);
        assertThat(after.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(0, size))
                        .sub(before)
                        .amaxNumber()
                        .doubleValue())
                .isLessThan(1e-5);
        INDArray ids = inputs.get("input_ids").dup();
        ids.putScalar(0, 0, size + 2);
        inputs.put("input_ids", ids);
        assertThat(Double.isFinite(logits(imported, inputs).sumNumber().doubleValue()))
                .isTrue();
        assertThat(model.trainableNames()).anyMatch(tensor -> tensor.contains("trainable_tokens_delta"));
        ids.putScalar(0, 0, size + 3);
        assertThatThrownBy(() -> imported.requireValid(inputs))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("0 to " + (size + 2));

        assertThatThrownBy(() -> OnnxWriter.writeMerged(imported, model.mergedWeights(), folder.resolve("m.onnx")))
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
