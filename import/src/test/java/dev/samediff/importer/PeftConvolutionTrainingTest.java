package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.adapters.testing.AdamW;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.testing.SharedFiles;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Convolutions as PEFT's own code trains them: read, trained on, written, read again, merged. */
class PeftConvolutionTrainingTest {
    private static final String A = "base_model.model.lin.lora_A.weight";
    private static final String B = "base_model.model.lin.lora_B.weight";
    private static final String LENGTHS = "base_model.model.lin.lora_magnitude_vector";

    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> peft() throws IOException {
        Path root = SharedFiles.require("golden/methods");
        JsonNode cases =
                new ObjectMapper().readTree(root.resolve("index.json").toFile()).get("cases");
        return StreamSupport.stream(cases.spliterator(), false)
                .filter(index -> index.get("id").asText().matches("(conv|dora)/conv_.*"))
                .map(index -> DynamicTest.dynamicTest(index.get("id").asText(), () -> check(root, index)));
    }

    private void check(Path root, JsonNode index) throws IOException {
        Map<String, INDArray> data =
                Npz.read(root.resolve("data/" + index.get("data").asText() + ".npz"));
        Map<String, INDArray> golden = Npz.read(root.resolve(index.get("id").asText() + ".npz"));
        Path adapter = folder.resolve(index.get("id").asText());
        write(golden, "0", index, adapter);
        ImportedModel imported = OnnxImporter.load(model(data));
        SameDiff graph = imported.graph();
        INDArray x = data.get("x");
        Map<String, INDArray> feeds = new HashMap<>(Map.of("x", x));
        INDArray target = output(graph, feeds).mul(0.5).add(0.1);
        feeds.put("target", target);
        AdaptedModel adapted = AdaptedModel.inject(imported, AdapterFolder.load(adapter));
        SDVariable error =
                graph.getVariable("y").sub("error", graph.placeHolder("target", DataType.FLOAT, target.shape()));
        error.mul("squares", error).mean("loss");
        adapted.useLoss("loss");
        assertThat(distance(output(graph, feeds), golden.get("out0"))).isLessThan(1e-5);
        train(adapted, feeds);
        assertThat(distance(output(graph, feeds), golden.get("out20"))).isLessThan(1e-4);

        Path trained = folder.resolve("trained").resolve(index.get("id").asText());
        AdapterFolder.save(adapted.state(), trained);
        Map<String, INDArray> saved =
                Safetensors.read(trained.resolve("adapter_model.safetensors")).tensors();
        tensors(golden, "20").forEach((name, expected) -> {
            INDArray actual = Objects.requireNonNull(saved.get(name), name);
            assertThat(actual.shape()).as(name).isEqualTo(expected.shape());
            assertThat(distance(actual, expected)).as(name).isLessThan(1e-4);
        });
        ImportedModel fresh = OnnxImporter.load(model(data));
        AdaptedModel again = AdaptedModel.inject(fresh, AdapterFolder.load(trained));
        again.merge();
        assertThat(distance(output(fresh.graph(), Map.of("x", x)), golden.get("out20_merged")))
                .isLessThan(1e-4);
        INDArray merged = again.mergedWeights().values().iterator().next();
        assertThat(distance(merged.reshape(golden.get("merged20").shape()), golden.get("merged20")))
                .isLessThan(1e-4);
    }

    private static void train(AdaptedModel adapted, Map<String, INDArray> feeds) {
        AdamW updater = new AdamW(0.01, 0.01);
        Map<String, INDArray> parameters = new LinkedHashMap<>();
        adapted.trainableNames()
                .forEach(name ->
                        parameters.put(name, adapted.graph().getVariable(name).getArr()));
        try (Engine engine =
                Engines.open(adapted.graph(), "loss", adapted.trainableNames(), EngineOptions.defaults())) {
            for (int step = 0; step < 20; step++) {
                updater.step(parameters, engine.gradients(feeds).byName());
            }
        }
    }

    private static Map<String, INDArray> tensors(Map<String, INDArray> golden, String suffix) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put(A, golden.get("A" + suffix));
        tensors.put(B, golden.get("B" + suffix));
        if (golden.containsKey("m" + suffix)) {
            tensors.put(LENGTHS, golden.get("m" + suffix));
        }
        return tensors;
    }

    private static void write(Map<String, INDArray> golden, String suffix, JsonNode index, Path to) throws IOException {
        Files.createDirectories(to);
        new Safetensors(tensors(golden, suffix), Safetensors.PYTORCH).write(to.resolve("adapter_model.safetensors"));
        Files.writeString(to.resolve("adapter_config.json"), """
                {"peft_type": "LORA", "r": %d, "lora_alpha": %d, "target_modules": ["lin"], "use_dora": %s}
                """.formatted(
                        index.get("r").asInt(), index.get("alpha").asInt(), golden.containsKey("m0")));
    }

    /** The convolution of the collection: a kernel of 1 with stride 1, or of 3 with stride 2 and padding 1. */
    private Path model(Map<String, INDArray> data) {
        INDArray w = data.get("W");
        long size = w.size(2);
        long stride = size == 1 ? 1 : 2;
        long pad = size == 1 ? 0 : 1;
        return new TinyModel(17)
                .input("x", DataType.FLOAT, data.get("x").shape())
                .initializer("lin.weight", stored(w))
                .initializer("lin.bias", stored(data.get("b")))
                .node(
                        "Conv",
                        "x lin.weight lin.bias",
                        "y",
                        "kernel_shape",
                        new long[] {size, size},
                        "strides",
                        new long[] {stride, stride},
                        "pads",
                        new long[] {pad, pad, pad, pad})
                .output("y")
                .write(folder);
    }

    private static HostTensor stored(INDArray array) {
        return HostTensor.of(
                DataType.FLOAT, array.shape(), array.dup('c').data().asDouble());
    }

    private static INDArray output(SameDiff graph, Map<String, INDArray> feeds) {
        return graph.output(feeds, "y").get("y").dup('c');
    }

    private static double distance(INDArray actual, INDArray expected) {
        assertThat(actual.shape()).isEqualTo(expected.shape());
        return actual.sub(expected).amaxNumber().doubleValue();
    }
}
