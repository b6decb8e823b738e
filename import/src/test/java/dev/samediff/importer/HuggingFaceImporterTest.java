package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.Npz;
import java.io.IOException;
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
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Folders written by make_hub_folders.py compute what torch computes with their tensors. */
class HuggingFaceImporterTest {
    private static final String LOSS = "test/loss";
    private static final String TARGET = "test/target";

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
    void logits_are_those_of_torch_with_padding_on_either_side(String name) throws IOException {
        Map<String, INDArray> expected = expected(name);
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        requireEqual(expected, OnnxVerifier.run(model, inputs(expected)).get("logits"));
    }

    @ParameterizedTest
    @MethodSource("folders")
    void onnx_runtime_computes_the_same_with_the_file_that_is_written(String name) throws IOException {
        Map<String, INDArray> expected = expected(name);
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        Path written = temporary.resolve("model.onnx");
        OnnxWriter.writeMerged(model, Map.of(), written);
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(written)) {
            requireEqual(expected, runtime.run(inputs(expected)).get("logits"));
        }
    }

    @ParameterizedTest
    @MethodSource("folders")
    void gradients_of_linear_weights_are_those_of_torch(String name) throws IOException {
        Map<String, INDArray> expected = expected(name);
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        Map<String, INDArray> given = withLoss(model.graph(), expected);
        assertThat(model.graph().outputSingle(given, LOSS).getDouble(0))
                .isCloseTo(Npz.get(expected, "loss").getDouble(0), within(1e-5));
        List<LinearLayer> layers = model.linearLayers().stream()
                .filter(layer -> expected.containsKey("gradient." + layer.module()))
                .toList();
        assertThat(layers).hasSize((int) expected.keySet().stream()
                .filter(key -> key.startsWith("gradient."))
                .count());
        Map<String, INDArray> gradients = model.graph()
                .calculateGradients(
                        given, layers.stream().map(LinearLayer::weight).toList());
        for (LinearLayer layer : layers) {
            INDArray torch = Npz.get(expected, "gradient." + layer.module());
            INDArray own = Objects.requireNonNull(gradients.get(layer.weight()));
            assertThat(own.distance2(torch) / torch.norm2Number().doubleValue())
                    .as(layer.module())
                    .isLessThan(1e-4);
        }
    }

    @Test
    void modules_have_the_names_of_the_hub_and_adapters_merge_into_a_file_that_onnx_runtime_runs() throws IOException {
        Map<String, INDArray> expected = expected("qwen2");
        ImportedModel model = HuggingFaceImporter.load(folder("qwen2"));
        AdaptedModel adapted = AdaptedModel.inject(model, AdapterConfig.of(Lora.rank(2)));
        assertThat(adapted.sites())
                .extracting(site -> site.module())
                .contains("model.layers.0.self_attn.q_proj", "model.layers.1.mlp.down_proj")
                .hasSize(14);
        Map<String, INDArray> values = new LinkedHashMap<>(adapted.trainables());
        values.replaceAll((key, array) -> Nd4j.rand(array.shape()).subi(0.5).muli(0.4));
        adapted.restore(values);
        Map<String, INDArray> changed = OnnxVerifier.run(model, inputs(expected));
        Path written = temporary.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, adapted.mergedWeights(), written);
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(written)) {
            INDArray logits = runtime.run(inputs(expected)).get("logits");
            assertThat(logits.sub(changed.get("logits")).amaxNumber().doubleValue())
                    .isLessThan(1e-4);
            assertThat(logits.sub(Npz.get(expected, "logits")).amaxNumber().doubleValue())
                    .isGreaterThan(1e-2);
        }
    }

    @Test
    void a_folder_of_the_hubs_cache_whose_files_are_links_is_read() throws IOException {
        Path blobs = Files.createDirectories(temporary.resolve("models--x/blobs"));
        Path snapshot = Files.createDirectories(temporary.resolve("models--x/snapshots/0123"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(folder("qwen2").resolve(file), blobs.resolve("blob-of-" + file));
            Files.createSymbolicLink(snapshot.resolve(file), Path.of("../../blobs/blob-of-" + file));
        }
        Map<String, INDArray> expected = expected("qwen2");
        ImportedModel model = HuggingFaceImporter.load(snapshot);
        requireEqual(expected, OnnxVerifier.run(model, inputs(expected)).get("logits"));
    }

    @Test
    void files_of_the_folder_are_not_replaced_by_what_is_written_and_the_folder_is_the_models_name()
            throws IOException {
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(folder("qwen2").resolve(file), temporary.resolve(file));
        }
        ImportedModel model = HuggingFaceImporter.load(temporary);
        assertThat(model.name()).contains(temporary.toAbsolutePath().normalize().toString());
        for (String file : List.of("config.json", "model.safetensors")) {
            byte[] before = Files.readAllBytes(temporary.resolve(file));
            assertThatThrownBy(() -> OnnxWriter.writeMerged(model, Map.of(), temporary.resolve(file)))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("is a part of the model in the folder");
            assertThat(Files.readAllBytes(temporary.resolve(file))).isEqualTo(before);
        }
        OnnxWriter.writeMerged(model, Map.of(), temporary.resolve("merged.onnx"));
        assertThat(OnnxImporter.load(temporary.resolve("merged.onnx")).modulePaths())
                .isEqualTo(model.modulePaths());
    }

    /** Padding's own logits are nobody's business. */
    private static void requireEqual(Map<String, INDArray> expected, INDArray logits) {
        INDArray torch = Npz.get(expected, "logits");
        INDArray mask = Npz.get(expected, "attention_mask");
        assertThat(logits.shape()).isEqualTo(torch.shape());
        for (int row = 0; row < mask.rows(); row++) {
            for (int at = 0; at < mask.columns(); at++) {
                if (mask.getInt(row, at) == 1) {
                    INDArray own = logits.slice(row).slice(at);
                    assertThat(own.sub(torch.slice(row).slice(at)).amaxNumber().doubleValue())
                            .as("row %d, token %d", row, at)
                            .isLessThan(1e-4);
                }
            }
        }
    }

    private static Map<String, INDArray> withLoss(SameDiff graph, Map<String, INDArray> expected) {
        INDArray ids = Npz.get(expected, "input_ids");
        INDArray mask = Npz.get(expected, "attention_mask");
        long classes = Npz.get(expected, "logits").size(-1);
        SDVariable target = graph.placeHolder(TARGET, DataType.FLOAT, -1, classes);
        SDVariable logits = graph.reshape(graph.getVariable("logits"), -1, classes);
        graph.nn().logSoftmax(logits).mul(target).sum().neg().rename(LOSS);
        graph.setLossVariables(LOSS);
        INDArray weights = Nd4j.zeros(DataType.FLOAT, ids.length(), classes);
        int counted = 0;
        for (int row = 0; row < ids.rows(); row++) {
            for (int at = 0; at + 1 < ids.columns(); at++) {
                if (mask.getInt(row, at) == 1 && mask.getInt(row, at + 1) == 1) {
                    weights.putScalar((long) row * ids.columns() + at, ids.getInt(row, at + 1), 1);
                    counted++;
                }
            }
        }
        Map<String, INDArray> given = new HashMap<>(inputs(expected));
        given.put(TARGET, weights.divi(counted));
        return given;
    }

    private static Map<String, INDArray> inputs(Map<String, INDArray> expected) {
        Map<String, INDArray> inputs = new LinkedHashMap<>();
        for (String name : List.of("input_ids", "attention_mask", "position_ids")) {
            inputs.put(name, Npz.get(expected, name));
        }
        return inputs;
    }

    private static Map<String, INDArray> expected(String name) throws IOException {
        return Npz.read(folder(name).resolve("expected.npz"));
    }

    private static Path folder(String name) {
        return Path.of("src/test/resources/hub").resolve(name);
    }
}
