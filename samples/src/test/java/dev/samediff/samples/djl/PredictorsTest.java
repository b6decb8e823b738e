package dev.samediff.samples.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.translate.TranslateException;
import dev.langchain4j.data.segment.TextSegment;
import dev.samediff.adapters.predict.PredictionPlan;
import dev.samediff.adapters.predict.TextEmbedder;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.samples.langchain.SameDiffEmbeddingModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Other libraries' interfaces over one embedder. */
class PredictorsTest {
    private static final Path MODELS = Path.of("src/test/resources/tasks");

    @Test
    void vectors_are_the_same_by_every_interface() throws Exception {
        ImportedModel model = OnnxImporter.load(MODELS.resolve("encoder.onnx"));
        try (ModelPool pool = ModelPool.open(model, PoolOptions.defaults())) {
            TextEmbedder embedder = TextEmbedder.of(
                    pool,
                    Tokenizers.load(MODELS.resolve("letters.json")),
                    PredictionPlan.upTo(8),
                    model.outputs().get(0).variable());
            List<String> texts = List.of("aaa", "zzz");
            List<float[]> expected = embedder.predict(texts);
            try (DjlPredictor<String, float[]> djl = new DjlPredictor<>("encoder", embedder)) {
                assertThat(djl.predict("aaa")).containsExactly(expected.get(0));
                assertThat(djl.batchPredict(texts).get(1)).containsExactly(expected.get(1));
                assertThatThrownBy(() -> new DjlPredictor<>("other", embedder.withAdapter("nobody")).predict("aaa"))
                        .isInstanceOf(TranslateException.class)
                        .hasMessageContaining("no adapter `nobody`");
            }
            SameDiffEmbeddingModel chain = new SameDiffEmbeddingModel(embedder);
            assertThat(chain.embedAll(texts.stream().map(TextSegment::from).toList())
                            .content()
                            .get(1)
                            .vector())
                    .containsExactly(expected.get(1));
            assertThat(chain.embed("aaa").content().vector()).containsExactly(expected.get(0));
            assertThat(chain.dimension()).isEqualTo(expected.get(0).length);
        }
    }
}
