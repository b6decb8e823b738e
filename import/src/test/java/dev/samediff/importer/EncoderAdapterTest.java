package dev.samediff.importer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.adapters.testing.Npz;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** PEFT's folders for encoders of the hub, by their keys: read, applied, and written with the same. */
class EncoderAdapterTest {
    private static final String CONFIG = """
            {"peft_type": "LORA", "task_type": "%s", "r": 2, "lora_alpha": 4, "target_modules": "%s",
             "modules_to_save": ["classifier"], "bias": "none", "base_model_name_or_path": "somebody/encoder",
             "inference_mode": true, "fan_in_fan_out": false, "lora_dropout": 0.1}
            """;

    @TempDir
    Path temporary;

    private static Path folder(String name) {
        return Path.of("src/test/resources/encoders").resolve(name);
    }

    private static INDArray random(int seed, long... shape) {
        return Nd4j.rand(seed, shape).subi(0.5);
    }

    private static Map<String, INDArray> inputs(String name) throws IOException {
        Map<String, INDArray> inputs = new LinkedHashMap<>();
        Npz.read(folder(name).resolve("expected.npz")).forEach((key, array) -> {
            if (key.startsWith("0.input.")) {
                inputs.put(key.substring("0.input.".length()), array);
            }
        });
        return inputs;
    }

    /** LoRA of one target, and a head, with PEFT's keys. */
    private Map<String, INDArray> tensors(String module, Map<String, long[]> head) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put("base_model.model." + module + ".lora_A.weight", random(1, 2, 16));
        tensors.put("base_model.model." + module + ".lora_B.weight", random(2, 16, 2));
        head.forEach(
                (name, shape) -> tensors.put("base_model.model.classifier." + name, random(name.hashCode(), shape)));
        return tensors;
    }

    private AdapterState read(String type, String target, Map<String, INDArray> tensors) throws IOException {
        Path adapter = Files.createDirectories(temporary.resolve("adapter"));
        Files.writeString(adapter.resolve("adapter_config.json"), CONFIG.formatted(type, target));
        new Safetensors(tensors, Safetensors.PYTORCH).write(adapter.resolve("adapter_model.safetensors"));
        return AdapterFolder.load(adapter);
    }

    @ParameterizedTest
    @CsvSource({
        "bert-classification, SEQ_CLS, query, bert.encoder.layer.0.attention.self.query, 3, pooler_output",
        "bert-tagging, TOKEN_CLS, value, bert.encoder.layer.1.attention.self.value, 5, last_hidden_state",
        "xlm-roberta-tagging, TOKEN_CLS, value, roberta.encoder.layer.1.attention.self.value, 3, last_hidden_state",
        "distilbert-tagging, TOKEN_CLS, q_lin, distilbert.transformer.layer.1.attention.q_lin, 3, last_hidden_state"
    })
    void an_adapter_of_a_classifier_changes_its_layer_and_its_head_and_is_written_with_the_same_keys(
            String name, String type, String target, String module, int labels, String features) throws IOException {
        Map<String, INDArray> tensors =
                tensors(module, Map.of("weight", new long[] {labels, 16}, "bias", new long[] {labels}));
        AdapterState state = read(type, module, tensors);
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        Map<String, INDArray> before = OnnxVerifier.run(model, inputs(name));
        AdaptedModel adapted = AdaptedModel.inject(model, state);
        Map<String, INDArray> after = OnnxVerifier.run(model, inputs(name));
        INDArray seen = Npz.get(after, features);
        assertThat(seen.sub(Npz.get(before, features)).amaxNumber().doubleValue())
                .isGreaterThan(1e-3);
        INDArray rows = seen.reshape(-1, 16);
        INDArray expected = rows.mmul(
                        Npz.get(tensors, "base_model.model.classifier.weight").transpose())
                .addRowVector(Npz.get(tensors, "base_model.model.classifier.bias"));
        assertThat(Npz.get(after, "logits")
                        .reshape(-1, labels)
                        .sub(expected)
                        .amaxNumber()
                        .doubleValue())
                .isCloseTo(0, within(1e-4));
        Path written = temporary.resolve("written");
        AdapterFolder.save(adapted.state(), written);
        Map<String, INDArray> again =
                Safetensors.read(written.resolve("adapter_model.safetensors")).tensors();
        assertThat(again.keySet()).isEqualTo(tensors.keySet());
        tensors.forEach((key, array) -> assertThatBits(again.get(key)).isEqualTo(array));
    }

    /** RoBERTa's head has two layers, which PEFT saves under the one name. */
    @Test
    void the_two_layers_of_robertas_head_are_read_by_the_name_of_the_module_that_holds_them() throws IOException {
        String module = "roberta.encoder.layer.0.attention.self.query";
        Map<String, INDArray> tensors = tensors(
                module,
                Map.of(
                        "dense.weight", new long[] {16, 16},
                        "dense.bias", new long[] {16},
                        "out_proj.weight", new long[] {4, 16},
                        "out_proj.bias", new long[] {4}));
        ImportedModel model = HuggingFaceImporter.load(folder("roberta-classification"));
        AdaptedModel adapted = AdaptedModel.inject(model, read("SEQ_CLS", module, tensors));
        Path written = temporary.resolve("written");
        AdapterFolder.save(adapted.state(), written);
        assertThat(Safetensors.read(written.resolve("adapter_model.safetensors"))
                        .tensors()
                        .keySet())
                .isEqualTo(tensors.keySet());
        Map<String, INDArray> merged = OnnxVerifier.run(model, inputs("roberta-classification"));
        Path out = temporary.resolve("merged");
        HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), out);
        INDArray logits = OnnxVerifier.run(HuggingFaceImporter.load(out), inputs("roberta-classification"))
                .get("logits");
        assertThat(Npz.get(merged, "logits").sub(logits).amaxNumber().doubleValue())
                .isLessThan(1e-4);
    }

    /** What PEFT trained on BertForSequenceClassification of a folder that says BertForMaskedLM, as bert-base-uncased does. */
    @Test
    void an_adapter_of_a_classifier_on_the_pooler_of_a_masked_model_is_read_behind_a_new_head() throws IOException {
        String module = "bert.encoder.layer.0.attention.self.query";
        Map<String, INDArray> tensors = tensors(module, Map.of("weight", new long[] {7, 16}, "bias", new long[] {7}));
        ImportedModel model = HuggingFaceImporter.load(folder("bert-masked-lm"));
        String logits = model.addHead(TaskHead.classification(7).withPooling(Pooling.GIVEN), "pooler_output");
        AdaptedModel.inject(model, read("SEQ_CLS", module, tensors));
        Map<String, INDArray> given = inputs("bert-masked-lm");
        INDArray pooled = Npz.get(OnnxVerifier.run(model, given), "pooler_output");
        INDArray expected = pooled.mmul(
                        Npz.get(tensors, "base_model.model.classifier.weight").transpose())
                .addRowVector(Npz.get(tensors, "base_model.model.classifier.bias"));
        assertThat(model.graph()
                        .outputSingle(given, logits)
                        .sub(expected)
                        .amaxNumber()
                        .doubleValue())
                .isLessThan(1e-4);
    }
}
