package dev.samediff.samples.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.text.generation.CachedLogits;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.TextGenerator;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CachedGenerationTest {
    @Test
    void the_bundled_model_writes_the_same_with_and_without_a_cache() throws Exception {
        BundledModel bundled = BundledModel.extract();
        LanguageModel model = LanguageModel.load(
                bundled.onnx(), Tokenizers.load(bundled.vocabulary()), Optional.empty(), Optional.empty());
        GenerationPlan plan = GenerationPlan.greedy(20, model.maxLength());
        List<String> prompts = List.of(
                "Tom has 7 pens. Tom finds 5 more. How many pens now?\n", "Anna has 12 apples.", "Tom", "How many");
        try (Engine engine = new ReferenceEngine(model.graph(), "", List.of());
                CachedLogits cached = model.cachedLogitsBy(engine, EngineOptions.defaults())) {
            List<Generation> expected =
                    new TextGenerator(model.logitsBy(engine), model.tokenizer(), plan).generate(prompts);
            assertThat(new TextGenerator(cached, model.tokenizer(), plan).generate(prompts))
                    .isEqualTo(expected);
            assertThat(cached.fallback()).isEmpty();
        }
    }
}
