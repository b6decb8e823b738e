package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.adapters.text.generation.CachedLogits;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.TextGenerator;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.serve.NamedAdapter;
import dev.samediff.samples.serve.ServedModel;
import dev.samediff.samples.serve.ServedModels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --method prompt_tuning} from training to texts. */
class PromptTuningCommandTest {
    private static final String QUESTION = "Tom has 3 apples. Mia gives Tom 2 apples. ";

    @TempDir
    Path folder;

    @Test
    void virtual_tokens_are_trained_saved_and_stand_before_prompts() throws IOException {
        Path run = folder.resolve("run");
        Run trained =
                Run.of(("finetune --method prompt_tuning --virtual-tokens 5 --virtual-text Tom --steps 30 --batch 4"
                                + " --lr 3e-2 --eval-count 2 --json --out " + run)
                        .split(" "));
        assertThat(trained.exitCode()).as(trained.err()).isZero();
        JsonNode summary = trained.json();
        assertThat(summary.required("method").asText()).isEqualTo("prompt_tuning");
        assertThat(summary.required("trainable_parameters").asInt()).isEqualTo(5 * 128);
        assertThat(summary.required("eval_loss_after").asDouble())
                .isLessThan(summary.required("eval_loss_before").asDouble());

        Path adapter = run.resolve("adapter");
        AdapterState state = AdapterFolder.load(adapter);
        LanguageModel plain = load();
        LanguageModel model = plain.withFraming(plain.framing().behind(state.virtualTokens()));
        AdaptedModel.inject(model.imported(), state);
        GenerationPlan plan = GenerationPlan.greedy(12, model.maxLength());
        List<int[]> prompts =
                List.of(model.encoder().encodePrompt(QUESTION), model.encoder().encodePrompt("Tom "));
        try (Engine engine = Engines.open(model.graph(), "", List.of(), EngineOptions.defaults());
                CachedLogits cached = model.cachedLogitsBy(engine, EngineOptions.defaults())) {
            List<String> whole = texts(new TextGenerator(model.logitsBy(engine), model.tokenizer(), plan), prompts);
            assertThat(texts(new TextGenerator(cached, model.tokenizer(), plan), prompts))
                    .isEqualTo(whole);
            assertThat(cached.fallback()).isEmpty();
            Run generated = Run.of(
                    "generate", "--adapter", adapter.toString(), "--prompt", QUESTION, "--max-tokens", "12", "--json");
            assertThat(generated.exitCode()).as(generated.err()).isZero();
            assertThat(generated.err()).contains("5 virtual tokens stand first");
            assertThat(generated.json().get(0).required("text").asText()).isEqualTo(whole.get(0));
            assertThat(served(adapter, "trained")).isEqualTo(whole.get(0));
        }
        assertThat(served(adapter, "base")).isEqualTo(written(load(), QUESTION));
        Run merged = Run.of(
                "merge",
                "--adapter",
                adapter.toString(),
                "--out",
                folder.resolve("m.onnx").toString());
        assertThat(merged.error()).contains("virtual tokens");
    }

    private static LanguageModel load() {
        BundledModel bundled = BundledModel.extract();
        return LanguageModel.load(
                bundled.onnx(), Tokenizers.load(bundled.vocabulary()), Optional.empty(), Optional.empty());
    }

    private static String written(LanguageModel model, String prompt) {
        GenerationPlan plan = GenerationPlan.greedy(12, model.maxLength());
        try (Engine engine = Engines.open(model.graph(), "", List.of(), EngineOptions.defaults())) {
            return new TextGenerator(model.logitsBy(engine), model.tokenizer(), plan)
                    .generateFrom(List.of(model.encoder().encodePrompt(prompt)))
                    .get(0)
                    .text();
        }
    }

    private static String served(Path adapter, String name) throws IOException {
        try (ServedModels models = ServedModels.open(
                load(),
                new ServedModels.Manner("base", Optional.empty(), false, false),
                List.of(new NamedAdapter("trained", adapter)),
                PoolOptions.defaults())) {
            ServedModel model = models.find(name).orElseThrow();
            return model.write(List.of(model.prompt(QUESTION, false)), models.plan(12), (number, text) -> true)
                    .get(0)
                    .text();
        }
    }

    private static List<String> texts(TextGenerator generator, List<int[]> prompts) {
        return generator.generateFrom(prompts).stream().map(each -> each.text()).toList();
    }
}
