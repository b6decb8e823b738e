package dev.samediff.samples;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.samples.model.BundledModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Copies of an adapted graph whose linear layers have names that SameDiff made up, as imported ones do. */
class MergedGraphTest {
    private static final BundledModel BUNDLED = BundledModel.extract();
    private static final INDArray IDS = Nd4j.createFromArray(new long[][] {{3, 7, 11, 2, 5, 9}, {1, 4, 4, 8, 6, 10}});

    @TempDir
    Path folder;

    static List<AdapterMethod> methods() {
        return List.of(Lora.rank(4), Sorsa.rank(4)); // a start at zero; a residual base and a penalty
    }

    @ParameterizedTest
    @MethodSource("methods")
    void a_merged_or_saved_graph_computes_what_the_adapted_one_does(AdapterMethod method) throws IOException {
        ImportedModel imported = OnnxImporter.load(BUNDLED.onnx());
        SameDiff graph = imported.graph();
        INDArray base = logits(graph);
        List<String> variables = names(graph);
        List<String> ops = List.copyOf(graph.getOps().keySet());
        assertThatBits(logits(graph.dup())).isEqualTo(base);

        AdaptedModel model = AdaptedModel.inject(graph, imported.modulePaths(), AdapterConfig.of(method));
        perturb(model);
        INDArray adapted = logits(graph);
        assertThat(difference(adapted, base)).isGreaterThan(0.05);

        SameDiff merged = model.mergedGraph();
        assertThat(difference(logits(merged), adapted)).isLessThan(1e-4);
        assertThat(names(merged)).containsExactlyInAnyOrderElementsOf(variables);
        assertThat(merged.getOps().keySet()).containsExactlyInAnyOrderElementsOf(ops);
        assertThatBits(logits(graph)).isEqualTo(adapted);

        Path file = folder.resolve("adapted.fb");
        graph.save(file.toFile(), true);
        assertThatBits(logits(SameDiff.load(file.toFile(), true))).isEqualTo(adapted);

        model.unload();
        assertThat(graph.getOps().keySet()).containsExactlyElementsOf(ops);
        assertThatBits(logits(graph.dup())).isEqualTo(base);
    }

    private static List<String> names(SameDiff graph) {
        return graph.variables().stream().map(SDVariable::name).toList();
    }

    private static INDArray logits(SameDiff graph) {
        return graph.output(Map.of("input_ids", IDS), "logits").get("logits").dup();
    }

    private static void perturb(AdaptedModel model) {
        Random random = new Random(3);
        Map<String, INDArray> values = new LinkedHashMap<>();
        model.trainables().forEach((name, value) -> {
            double[] noise = random.doubles(value.length(), -0.1, 0.1).toArray();
            values.put(
                    name,
                    value.add(
                            Nd4j.createFromArray(noise).castTo(value.dataType()).reshape(value.shape())));
        });
        model.restore(values);
    }

    private static double difference(INDArray a, INDArray b) {
        return a.sub(b).amaxNumber().doubleValue();
    }
}
