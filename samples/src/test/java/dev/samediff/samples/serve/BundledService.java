package dev.samediff.samples.serve;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.TextGenerator;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.model.LanguageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The bundled model with an adapter of random numbers, and what they write by other means than a pool. */
public final class BundledService {
    /** The base model's name. */
    public static final String BASE = "base";
    /** The adapter's name. */
    public static final String ADAPTER = "other";

    private static final String TURNS = "{% for m in messages %}{{ m.content }}\n{% endfor %}";

    private BundledService() {}

    /** Opens them; the folder takes the adapter. */
    public static ServedModels open(Path folder) throws IOException {
        LanguageModel trained = load();
        AdaptedModel model = adapted(trained);
        AdapterFolder.save(model.state(), folder.resolve(ADAPTER));
        return ServedModels.open(
                load(),
                new ServedModels.Manner(BASE, Optional.of(ChatTemplate.of(TURNS)), false, false),
                List.of(new NamedAdapter(ADAPTER, folder.resolve(ADAPTER))),
                PoolOptions.defaults());
    }

    static LanguageModel load() {
        BundledModel bundled = BundledModel.extract();
        return LanguageModel.load(
                bundled.onnx(), Tokenizers.load(bundled.vocabulary()), Optional.empty(), Optional.empty());
    }

    private static AdaptedModel adapted(LanguageModel model) {
        AdaptedModel adapted =
                AdaptedModel.inject(model.graph(), model.imported().modulePaths(), AdapterConfig.of(Lora.rank(4)));
        Map<String, INDArray> values = adapted.trainables();
        Random random = new Random(3);
        values.values().forEach(array -> {
            for (long i = 0; i < array.length(); i++) {
                array.putScalar(i, 0.2 * random.nextGaussian());
            }
        });
        adapted.restore(values);
        return adapted;
    }

    /** What a model writes after a text, without a pool and a cache. */
    public static String written(String name, String prompt, int tokens) {
        LanguageModel model = load();
        SameDiff graph = name.equals(ADAPTER) ? adapted(model).graph() : model.graph();
        GenerationPlan plan = GenerationPlan.greedy(tokens, model.maxLength());
        try (Engine engine = new ReferenceEngine(graph, "", List.of())) {
            return new TextGenerator(model.logitsBy(engine), model.tokenizer(), plan)
                    .generate(List.of(prompt))
                    .get(0)
                    .text();
        }
    }

    /** A file with some text. */
    public static Path file(Path folder, String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }
}
