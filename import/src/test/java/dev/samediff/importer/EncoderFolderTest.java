package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.Npz;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Folders of encoders, written by make_encoder_folders.py, compute what torch computes with their tensors. */
class EncoderFolderTest {
    private static final String CONFIG = "config.json";
    private static final String LOSS = "test/loss";

    @TempDir
    Path temporary;

    /** Every folder that the script writes. */
    static List<String> folders() throws IOException {
        try (Stream<Path> folders = Files.list(folder(""))) {
            return folders.map(path -> String.valueOf(path.getFileName()))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("folders")
    void outputs_are_those_of_torch_with_padding_on_either_side_at_several_shapes(String name) throws IOException {
        Map<String, INDArray> expected = expected(name);
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        assertThat(model.outputs().stream().map(TensorSpec::name))
                .containsExactlyInAnyOrderElementsOf(part(expected, "0.output.").keySet());
        for (int batch = 0; batch < 3; batch++) {
            requireEqual(expected, batch, OnnxVerifier.run(model, part(expected, batch + ".input.")));
        }
    }

    @ParameterizedTest
    @MethodSource("folders")
    void onnx_runtime_computes_the_same_with_the_file_that_is_written(String name) throws IOException {
        Map<String, INDArray> expected = expected(name);
        Path written = temporary.resolve("model.onnx");
        OnnxWriter.writeMerged(HuggingFaceImporter.load(folder(name)), Map.of(), written);
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(written)) {
            for (int batch = 0; batch < 3; batch++) {
                requireEqual(expected, batch, runtime.run(part(expected, batch + ".input.")));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("folders")
    void gradients_of_linear_weights_are_those_of_torch(String name) throws IOException {
        Map<String, INDArray> expected = expected(name);
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        Map<String, INDArray> given = withLoss(model.graph(), expected);
        assertThat(model.graph().outputSingle(given, LOSS).getDouble(0))
                .isCloseTo(Npz.get(expected, "loss").getDouble(0), within(1e-3));
        Map<String, INDArray> wanted = part(expected, "gradient.");
        List<LinearLayer> layers = model.linearLayers().stream()
                .filter(layer -> wanted.containsKey(layer.module()))
                .toList();
        assertThat(layers.stream().map(LinearLayer::module)).containsExactlyInAnyOrderElementsOf(wanted.keySet());
        Map<String, INDArray> gradients = model.graph()
                .calculateGradients(
                        given, layers.stream().map(LinearLayer::weight).toList());
        for (LinearLayer layer : layers) {
            INDArray torch = Npz.get(wanted, layer.module());
            INDArray own = Objects.requireNonNull(gradients.get(layer.weight()));
            assertThat(own.distance2(torch) / torch.norm2Number().doubleValue())
                    .as(layer.module())
                    .isLessThan(1e-4);
        }
    }

    @ParameterizedTest
    @MethodSource("folders")
    void a_merged_folder_computes_what_the_adapted_model_does(String name) throws IOException {
        Map<String, INDArray> inputs = part(expected(name), "0.input.");
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        Map<String, INDArray> before = OnnxVerifier.run(model, inputs);
        AdaptedModel adapted = AdaptedModel.inject(model, AdapterConfig.of(Lora.rank(2)));
        Map<String, INDArray> values = new LinkedHashMap<>(adapted.trainables());
        values.replaceAll((key, array) ->
                Nd4j.rand(key.hashCode(), array.shape()).subi(0.5).muli(0.4));
        adapted.restore(values);
        Map<String, INDArray> merged = OnnxVerifier.run(model, inputs);
        Path out = temporary.resolve("merged");
        HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), out);
        Map<String, INDArray> after = OnnxVerifier.run(HuggingFaceImporter.load(out), inputs);
        double most =
                name.equals("bert") || name.equals("bert-classification") ? 0.05 : 1e-4; // F16 and BF16 are rounded
        merged.forEach((output, numbers) -> {
            assertThat(distance(numbers, Npz.get(after, output))).as(output).isLessThan(most);
            assertThat(distance(numbers, Npz.get(before, output))).as(output).isGreaterThan(most);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "bert, encoder.layer.0.attention.self.query",
        "bert-classification, bert.encoder.layer.1.attention.output.dense",
        "bert-masked-lm, cls.predictions.transform.dense",
        "bert-masked-lm, cls.predictions.decoder",
        "roberta-classification, classifier.out_proj",
        "roberta-masked-lm, lm_head.decoder",
        "camembert, pooler.dense",
        "distilbert, transformer.layer.0.attention.q_lin",
        "distilbert-regression, pre_classifier",
        "distilbert-masked-lm, vocab_projector"
    })
    void modules_have_the_names_of_the_hub(String name, String module) {
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        assertThat(model.linearLayers()).extracting(LinearLayer::module).contains(module);
        assertThat(model.modulePaths()).containsValue(module);
    }

    @ParameterizedTest
    @CsvSource({
        "bert-masked-lm, cls.predictions.decoder",
        "bert-masked-lm, word_embeddings",
        "roberta-masked-lm, lm_head.decoder",
        "distilbert-masked-lm, word_embeddings"
    })
    void one_of_table_and_head_that_share_a_tensor_has_no_place_in_a_folder(String name, String target) {
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        AdapterConfig config = AdapterConfig.of(Lora.rank(2)).withTargets(TargetSelector.suffixes(target));
        AdaptedModel adapted = AdaptedModel.inject(model, config);
        assertThatThrownBy(
                        () -> HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), temporary.resolve("out")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("tie_word_embeddings");
    }

    @ParameterizedTest
    @CsvSource({
        "bert-masked-lm-untied, cls.predictions.decoder",
        "bert-classification, word_embeddings",
        "distilbert-tagging, position_embeddings"
    })
    void a_table_or_head_with_a_tensor_of_its_own_is_written(String name, String target) {
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        AdapterConfig config = AdapterConfig.of(Lora.rank(2)).withTargets(TargetSelector.suffixes(target));
        AdaptedModel adapted = AdaptedModel.inject(model, config);
        Path out = temporary.resolve("out");
        HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), out);
        assertThat(HuggingFaceImporter.load(out).modulePaths()).isEqualTo(model.modulePaths());
    }

    static Stream<Arguments> wrong() {
        String act = "\"hidden_act\": \"gelu\"";
        return Stream.of(
                Arguments.of("bert", act, act + ", \"is_decoder\": true", "`is_decoder` is true"),
                Arguments.of("bert", act, act + ", \"add_cross_attention\": true", "`add_cross_attention` is true"),
                Arguments.of("bert", "\"absolute\"", "\"relative_key\"", "relative_key; expected absolute"),
                Arguments.of("bert", act, "\"hidden_act\": \"mish\"", "`mish`; expected silu"),
                Arguments.of("bert", "\"vocab_size\": 31", "\"vocab_size\": 32", "word_embeddings.weight"),
                Arguments.of("bert", "_heads\": 4", "_heads\": 5", "a divisor of hidden_size, 16"),
                Arguments.of(
                        "bert", "_layers\": 2", "_layers\": 1", "tensors that a model of its config.json does not"),
                Arguments.of("bert", "BertModel", "BertForTokenClassification", "no tensor `classifier.weight`"),
                Arguments.of("bert", "BertModel", "BertForMultipleChoice", "or BertForTokenClassification or"),
                Arguments.of("bert-tagging", "BertForTokenClassification", "BertModel", "classifier.bias"),
                Arguments.of(
                        "bert-tagging", "\"0\": \"O\"", "\"5\": \"X\", \"0\": \"O\"", "config.json asks for [6, 16]"),
                Arguments.of("roberta-masked-lm", "\"pad_token_id\": 1", "\"pad_token_id\": -1", "0 or more"),
                Arguments.of("distilbert", "_heads\": {}", "_heads\": {\"1\": [0]}", "the fields [pruned_heads]"),
                Arguments.of("distilbert", "n_heads\": 4", "n_heads\": 3", "a divisor of dim, 16"));
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void what_is_no_such_model_is_refused_by_name(String name, String given, String changed, String words)
            throws IOException {
        copy(name);
        String config = Files.readString(temporary.resolve(CONFIG));
        assertThat(config).contains(given);
        Files.writeString(temporary.resolve(CONFIG), config.replace(given, changed));
        assertThatThrownBy(() -> HuggingFaceImporter.inspect(temporary))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(temporary.toString())
                .hasMessageContaining(words);
    }

    @Test
    void a_tensor_that_has_another_name_is_missed_by_its_own() throws IOException {
        copy("distilbert-tagging");
        Path file = temporary.resolve("model.safetensors");
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        Files.writeString(file, text.replaceFirst("1.ffn.lin2.bias", "1.ffn.lin2.bios"), StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> HuggingFaceImporter.inspect(temporary))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no tensor `distilbert.transformer.layer.1.ffn.lin2.bias`");
    }

    private void copy(String name) throws IOException {
        for (String file : List.of(CONFIG, "model.safetensors")) {
            Files.copy(folder(name).resolve(file), temporary.resolve(file));
        }
    }

    private static double distance(INDArray one, INDArray other) {
        return one.sub(other).amaxNumber().doubleValue();
    }

    private static void requireEqual(Map<String, INDArray> expected, int batch, Map<String, INDArray> found) {
        part(expected, batch + ".output.").forEach((output, torch) -> {
            INDArray own = Npz.get(found, output);
            assertThat(own.shape()).as(output).isEqualTo(torch.shape());
            assertThat(distance(own, torch)).as("%s of batch %d", output, batch).isLessThan(1e-4);
        });
    }

    private static Map<String, INDArray> withLoss(SameDiff graph, Map<String, INDArray> expected) {
        Map<String, INDArray> given = new HashMap<>(part(expected, "0.input."));
        SDVariable loss = null;
        for (Map.Entry<String, INDArray> weight : part(expected, "weight.").entrySet()) {
            SDVariable factors = graph.placeHolder(
                    "test/" + weight.getKey(), DataType.FLOAT, weight.getValue().shape());
            SDVariable term = graph.getVariable(weight.getKey()).mul(factors).sum();
            loss = loss == null ? term : loss.add(term);
            given.put("test/" + weight.getKey(), weight.getValue());
        }
        Objects.requireNonNull(loss).rename(LOSS);
        graph.setLossVariables(LOSS);
        return given;
    }

    /** The arrays whose names begin so, by the rest. */
    private static Map<String, INDArray> part(Map<String, INDArray> arrays, String beginning) {
        Map<String, INDArray> part = new LinkedHashMap<>();
        arrays.forEach((name, array) -> {
            if (name.startsWith(beginning)) {
                part.put(name.substring(beginning.length()), array);
            }
        });
        return part;
    }

    private static Map<String, INDArray> expected(String name) throws IOException {
        return Npz.read(folder(name).resolve("expected.npz"));
    }

    private static Path folder(String name) {
        return Path.of("src/test/resources/encoders").resolve(name);
    }
}
