package dev.samediff.importer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.testing.Effort;
import dev.samediff.importer.fixture.Fixture;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Imports of torch's exports compute what torch computes, in outputs, gradients and names. */
class FixtureTest {
    private static final String TARGET = "test/target";
    private static final String LOSS = "test/loss";

    static List<Fixture> fixtures() {
        return Fixture.all();
    }

    static List<Fixture> fixturesWithGradients() {
        return Fixture.withGradients().toList();
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void outputs_are_those_of_torch_at_every_shape(Fixture fixture) {
        ImportedModel imported = OnnxImporter.load(fixture.onnx());
        for (Fixture.Sample sample : fixture.samples()) {
            Verification.Comparison comparison =
                    Verification.Comparison.of("", "logits", sample.logits(), logits(imported, sample));
            assertThat(comparison.absolute()).as(comparison.toString()).isLessThan(1e-4);
        }
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void outputs_are_those_of_onnx_runtime_on_random_inputs(Fixture fixture) {
        Verification verification = OnnxVerifier.verify(fixture.onnx(), 1e-4, 5);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
        assertThat(verification.comparisons()).hasSizeGreaterThanOrEqualTo(fixture.dynamic() ? 3 : 1);
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void module_paths_are_those_of_torch(Fixture fixture) {
        assertThat(OnnxImporter.load(fixture.onnx()).modulePaths().values())
                .containsExactlyInAnyOrderElementsOf(fixture.linear().stream()
                        .map(Fixture.LinearLayer::module)
                        .toList());
    }

    @ParameterizedTest
    @MethodSource("fixturesWithGradients")
    void gradients_of_linear_weights_are_those_of_torch(Fixture fixture) {
        ImportedModel imported = OnnxImporter.load(fixture.onnx());
        Fixture.Sample sample = fixture.samples().get(0);
        Map<String, INDArray> given = withLoss(imported, sample);
        assertThat(imported.graph().outputSingle(given, LOSS).getDouble(0)).isCloseTo(sample.loss(), within(1e-5));

        List<LinearLayer> layers = imported.linearLayers();
        Map<String, INDArray> gradients = imported.graph()
                .calculateGradients(
                        given, layers.stream().map(LinearLayer::weight).toList());
        for (LinearLayer layer : layers) {
            INDArray expected = fixture.gradient(layer.module(), layer.orientation());
            Verification.Comparison comparison = Verification.Comparison.of(
                    "", layer.weight(), expected, Objects.requireNonNull(gradients.get(layer.weight())));
            assertThat(comparison.relative()).as(comparison.toString()).isLessThan(1e-3);
        }
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void a_saved_and_loaded_graph_gives_the_same_outputs(Fixture fixture, @TempDir Path folder) {
        ImportedModel imported = OnnxImporter.load(fixture.onnx());
        Fixture.Sample sample = fixture.samples().get(0);
        INDArray before = logits(imported, sample);
        imported.graph().save(folder.resolve("graph.sd").toFile(), false);
        SameDiff loaded = SameDiff.load(folder.resolve("graph.sd").toFile(), false);

        assertThatBits(loaded.outputSingle(sample.inputs(), "logits")).isEqualTo(before);
    }

    @Test
    void the_largest_fixture_imports_within_five_seconds_of_processor_time() throws Exception {
        Path file = Fixture.named("llama-deep-op15").onnx();
        assertThat(Effort.within(Duration.ofSeconds(5), () -> OnnxImporter.load(file)))
                .isNotNull();
    }

    private static INDArray logits(ImportedModel imported, Fixture.Sample sample) {
        return Objects.requireNonNull(
                OnnxVerifier.run(imported, sample.inputs()).get("logits"));
    }

    /**
     * Adds the fixtures' loss to the graph, from log-softmax and a one-hot target, and returns what to feed.
     *
     * <p>Not from sparseSoftmaxCrossEntropy, whose gradient in M2.1 ignores what comes after it.
     */
    private static Map<String, INDArray> withLoss(ImportedModel imported, Fixture.Sample sample) {
        SameDiff graph = imported.graph();
        long classes = sample.logits().size(-1);
        SDVariable target = graph.placeHolder(TARGET, DataType.FLOAT, -1, classes);
        SDVariable logits = graph.reshape(graph.getVariable("logits"), -1, classes);
        graph.nn().logSoftmax(logits).mul(target).sum().neg().rename(LOSS);
        graph.setLossVariables(LOSS);

        INDArray labels = sample.labels().reshape(sample.labels().length());
        INDArray mask = sample.mask().reshape(labels.length());
        INDArray weights = Nd4j.zeros(DataType.FLOAT, labels.length(), classes);
        double total = mask.sumNumber().doubleValue();
        for (int row = 0; row < labels.length(); row++) {
            weights.putScalar(row, labels.getInt(row), mask.getDouble(row) / total);
        }
        Map<String, INDArray> given = new HashMap<>(sample.inputs());
        given.put(TARGET, weights);
        return given;
    }
}
