package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.MaskedLmIterator;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Masked words, learned by an encoder of a folder with its own tokenizer, and merged into a folder. */
class MaskedLmFolderTest {
    private static final int MASK = 4; // [MASK], <mask>

    @TempDir
    Path temporary;

    @ParameterizedTest
    @CsvSource({"bert-masked-lm, query", "roberta-masked-lm, query", "distilbert-masked-lm, q_lin"})
    void words_are_learned_and_the_merged_folder_knows_them(String name, String target) {
        Path folder = Path.of("src/test/resources/encoders").resolve(name);
        Tokenizer tokenizer = Tokenizers.load(folder);
        ImportedModel imported = HuggingFaceImporter.load(folder);
        AdapterConfig config = AdapterConfig.of(Lora.rank(8));
        AdaptedModel model = AdaptedModel.inject(imported, config);
        assertThat(model.sites()).extracting(site -> site.module()).anyMatch(module -> module.endsWith("." + target));
        TaskLoss loss = Losses.maskedLm(imported.graph(), "logits");
        List<String> inputs = imported.inputs().stream().map(TensorSpec::name).toList();
        MaskedLmIterator data = new MaskedLmIterator(
                List.of("a b c d e f", "a b c d", "b c d e f", "c d e f", "a b c", "d e f"),
                tokenizer,
                MASK,
                BatchPlan.of(6, 16).filling(inputs));
        TrainingPlan plan = TrainingPlan.builder().steps(60).learningRate(3e-2).build();
        Binding binding = Binding.of(loss, inputs.toArray(String[]::new));
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, binding)) {
            TrainingResult result = trainer.fit(data, data);
            assertThat(result.finalEvaluation().orElseThrow().loss())
                    .isLessThan(0.5 * result.evaluations().get(0).loss());
        }
        Path merged = temporary.resolve("merged");
        HuggingFaceWriter.writeMerged(imported, model.mergedWeights(), merged);
        INDArray adapted = logits(imported, tokenizer);
        INDArray written = logits(HuggingFaceImporter.load(merged), Tokenizers.load(merged));
        assertThat(adapted.sub(written).amaxNumber().doubleValue()).isLessThan(1e-3);
    }

    private static INDArray logits(ImportedModel model, Tokenizer tokenizer) {
        int[] ids = tokenizer.encodeFramed("a b c");
        INDArray tokens = Nd4j.createFromArray(ids).reshape(1, ids.length).castTo(DataType.LONG);
        Map<String, INDArray> inputs = new HashMap<>();
        model.inputs().forEach(input -> inputs.put(input.name(), Nd4j.zerosLike(tokens)));
        inputs.put("input_ids", tokens);
        inputs.put("attention_mask", Nd4j.onesLike(tokens));
        return model.graph().outputSingle(inputs, "logits");
    }
}
