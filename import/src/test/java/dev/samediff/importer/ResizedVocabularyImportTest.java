package dev.samediff.importer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.importer.fixture.Fixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
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
        INDArray added =
                after.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(fixture.vocab(), tokens));
        INDArray mean = before.mean(true, 2);
        assertThat(added.sub(mean.broadcast(added.shape())).amaxNumber().doubleValue())
                .isLessThan(1e-4);

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

    /** What PEFT writes for a model that was resized: both embeddings whole, which its configuration does not name. */
    private Path peftFolder(ImportedModel model, EmbeddingTable table, String layer, int tokens) throws IOException {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        LinearLayer linear = model.linearLayers().stream()
                .filter(each -> each.module().endsWith(layer))
                .findFirst()
                .orElseThrow();
        Nd4j.getRandom().setSeed(7);
        tensors.put(
                "base_model.model." + linear.module() + ".lora_A.weight", Nd4j.randn(DataType.FLOAT, 2, linear.in()));
        tensors.put(
                "base_model.model." + linear.module() + ".lora_B.weight", Nd4j.randn(DataType.FLOAT, linear.out(), 2));
        tensors.put(
                "base_model.model." + table.module() + ".weight", Nd4j.randn(DataType.FLOAT, tokens, table.columns()));
        tensors.put("base_model.model.lm_head.weight", Nd4j.randn(DataType.FLOAT, tokens, table.columns()));
        Path peft = Files.createDirectories(folder.resolve("peft" + tokens));
        new Safetensors(tensors, Map.of("format", "pt")).write(peft.resolve("adapter_model.safetensors"));
        Files.writeString(peft.resolve("adapter_config.json"), """
                {"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": ["%s"], "task_type": "CAUSAL_LM"}
                """.formatted(layer));
        return peft;
    }

    @ParameterizedTest
    @CsvSource({"llama-op17,o_proj,64", "gpt2-gemm-tied-op11,c_proj,64", "llama-tied-op14,o_proj,58"})
    void a_folder_of_peft_with_resized_embeddings_is_loaded_merged_and_exported(String name, String layer, int tokens)
            throws IOException {
        Fixture fixture = Fixture.named(name);
        ImportedModel model = OnnxImporter.load(fixture.onnx());
        EmbeddingTable table = model.embeddings().stream()
                .filter(each -> each.rows() == fixture.vocab())
                .findFirst()
                .orElseThrow();
        AdapterState state = AdapterFolder.load(peftFolder(model, table, layer, tokens));
        assertThatThrownBy(() -> AdaptedModel.inject(OnnxImporter.load(fixture.onnx()), state))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("resizedFor");
        ImportedModel large = model.resizedFor(state);
        Map<String, INDArray> inputs = Map.of("input_ids", Nd4j.createFromArray(new long[][] {{1, tokens - 1, 2}}));
        AdaptedModel adapted = AdaptedModel.inject(large, state);
        INDArray scored = outputs(large, inputs).get(scores(large, tokens));
        assertThat(scored.shape()).containsExactly(1, 3, tokens);

        Path file = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(large, adapted.mergedWeights(), file);
        Verification verification = OnnxVerifier.verify(file, 1e-3, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
        ImportedModel merged = OnnxImporter.load(file);
        INDArray after = outputs(merged, inputs).get(scores(merged, tokens));
        assertThat(after.sub(scored).amaxNumber().doubleValue())
                .isLessThan(1e-4 * scored.amaxNumber().doubleValue());
        assertThatBits(merged.graph().getVariable(table.weight()).getArr())
                .isEqualTo(state.whole().stream()
                        .filter(whole -> whole.module().equals(table.module()))
                        .findFirst()
                        .orElseThrow()
                        .tensor());

        AdapterFolder.save(adapted.state(), folder.resolve("again"));
        AdapterState again = AdapterFolder.load(folder.resolve("again"));
        ImportedModel other = OnnxImporter.load(fixture.onnx()).resizedFor(again);
        AdaptedModel.inject(other, again);
        assertThatBits(outputs(other, inputs).get(scores(other, tokens))).isEqualTo(scored);
    }

    private static List<Double> trained(ImportedModel model, int tokens, Path saved) throws IOException {
        AdapterConfig config = AdapterConfig.of(Lora.rank(2))
                .withTrainableTokens(tokens - 1, tokens - 2)
                .withModulesToSave("lm_head");
        AdaptedModel adapted = AdaptedModel.inject(model, config);
        TaskLoss loss = Losses.causalLm(
                model.graph(), model.aliases().getOrDefault(scores(model, tokens), scores(model, tokens)));
        TrainingPlan plan = TrainingPlan.builder().steps(4).learningRate(5e-2).build();
        MultiDataSet batch = new MultiDataSet(
                new INDArray[] {Nd4j.createFromArray(new long[][] {{1, tokens - 1, 2, tokens - 2}})},
                new INDArray[] {Nd4j.createFromArray(new int[][] {{tokens - 1, 2, tokens - 2, 3}})},
                null,
                new INDArray[] {Nd4j.ones(DataType.FLOAT, 1, 4)});
        try (AdapterTrainer trainer = new AdapterTrainer(adapted, loss, plan, Binding.of(loss, "input_ids"))) {
            List<Double> losses =
                    trainer.fit(new SingletonMultiDataSetIterator(batch), null).losses();
            AdapterFolder.save(adapted.state(), saved);
            return losses;
        }
    }

    @Test
    void new_tokens_are_trained_as_in_a_model_that_had_them_from_the_start() throws IOException {
        Fixture fixture = Fixture.named("llama-op17");
        int tokens = fixture.vocab() + MORE;
        ImportedModel resized =
                OnnxImporter.load(fixture.onnx(), ImportOptions.defaults().withVocabulary(tokens));
        assertThat(resized.addedTokens()).containsExactly(61, 62, 63);
        Path file = folder.resolve("large.onnx");
        OnnxWriter.writeMerged(resized, Map.of(), file);
        ImportedModel fromStart = OnnxImporter.load(file);
        List<Double> losses = trained(resized, tokens, folder.resolve("a"));
        assertThat(losses.get(3)).isLessThan(losses.get(0));
        assertThat(trained(fromStart, tokens, folder.resolve("b"))).isEqualTo(losses);
        AdapterState saved = AdapterFolder.load(folder.resolve("a"));
        AdaptedModel restored = AdaptedModel.inject(OnnxImporter.load(file), saved);
        assertThat(restored.mergedWeights()
                        .get(resized.embeddings().get(0).weight())
                        .size(0))
                .isEqualTo(tokens);
    }

    @Test
    void what_is_no_vocabulary_is_refused_with_what_to_do() {
        ImportedModel model = OnnxImporter.load(Fixture.named("bert-cls-op13").onnx());
        model.addHead(
                TaskHead.classification(3).withModule("other").withPooling(Pooling.GIVEN),
                model.outputs().get(0).name());
        assertThatThrownBy(() -> model.resizeTokenEmbeddings(70)).hasMessageContaining("a head was added");
        assertThatThrownBy(() -> ImportOptions.defaults().withVocabulary(0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("give 1 or more");
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
                .hasMessageContaining("resizeTokenEmbeddings");
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
