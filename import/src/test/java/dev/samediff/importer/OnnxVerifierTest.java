package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.fixture.Fixture;
import dev.samediff.importer.fixture.OnnxFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import onnx.Onnx;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class OnnxVerifierTest {
    private static final Fixture FIXTURE = Fixture.named("llama-op17");

    @TempDir
    Path folder;

    @Test
    void a_graph_that_computes_something_else_fails_and_the_output_is_named() {
        ImportedModel imported = OnnxImporter.load(FIXTURE.onnx());
        INDArray norm = imported.graph().getArrForVarName("model.norm.weight");
        imported.graph().getVariable("model.norm.weight").setArray(norm.mul(1.01));
        Verification verification = OnnxVerifier.verify(FIXTURE.onnx(), imported, InputSizes.SAMPLES, 1e-4, 1);

        assertThat(verification.passed()).isFalse();
        assertThat(verification.worst().output()).isEqualTo("logits");
        assertThat(verification.worst().relative()).isBetween(0.009, 0.011);
    }

    @Test
    void every_size_is_reported() {
        assertThat(OnnxVerifier.verify(FIXTURE.onnx(), 1e-4, 1).comparisons())
                .extracting(Verification.Comparison::sizes)
                .containsExactly("batch = 2, sequence = 5", "batch = 1, sequence = 7", "batch = 3, sequence = 4");
    }

    @Test
    void equal_seeds_verify_with_equal_numbers() {
        Verification once = OnnxVerifier.verify(FIXTURE.onnx(), 1e-4, 1);
        assertThat(OnnxVerifier.verify(FIXTURE.onnx(), 1e-4, 1)).isEqualTo(once);
    }

    @Test
    void a_file_that_is_not_there_or_cut_off_is_refused_by_name() throws IOException {
        Path missing = folder.resolve("missing.onnx");
        assertThatThrownBy(() -> OnnxVerifier.verify(missing, 1e-4, 1))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("missing.onnx");
        byte[] bytes = Files.readAllBytes(FIXTURE.onnx());
        Path cut = Files.write(folder.resolve("cut.onnx"), Arrays.copyOf(bytes, bytes.length / 2));
        assertThatThrownBy(() -> OnnxVerifier.verify(cut, 1e-4, 1))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("cut.onnx");
    }

    @Test
    void an_input_nothing_reads_is_no_obstacle() {
        Onnx.GraphProto.Builder graph = Onnx.GraphProto.newBuilder()
                .addInput(OnnxFiles.floats("x", "batch", 3))
                .addInput(OnnxFiles.longs("unused", "batch"))
                .addInitializer(OnnxFiles.tensor("w", Nd4j.randn(3, 2)))
                .addNode(OnnxFiles.node("MatMul", "y", "x", "w"))
                .addOutput(OnnxFiles.floats("y", "batch", 2));
        Path file = OnnxFiles.write(OnnxFiles.model(graph), folder.resolve("m.onnx"));

        assertThat(OnnxVerifier.verify(file, 1e-5, 1).passed()).isTrue();
    }

    @Test
    void names_with_colons_and_several_outputs_compare_under_their_names_in_the_file() {
        Onnx.GraphProto.Builder graph = Onnx.GraphProto.newBuilder()
                .addInput(OnnxFiles.floats("x:0", "n", 3))
                .addInitializer(OnnxFiles.tensor("onnx::MatMul_7", Nd4j.randn(3, 2)))
                .addNode(OnnxFiles.node("MatMul", "onnx::y", "x:0", "onnx::MatMul_7"))
                .addNode(OnnxFiles.node("Tanh", "z:0", "onnx::y"))
                .addOutput(OnnxFiles.floats("onnx::y", "n", 2))
                .addOutput(OnnxFiles.floats("z:0", "n", 2));
        Path file = OnnxFiles.write(OnnxFiles.model(graph), folder.resolve("m.onnx"));
        Verification verification = OnnxVerifier.verify(file, 1e-5, 1);

        assertThat(verification.passed()).as(verification.toString()).isTrue();
        assertThat(verification.comparisons().subList(0, 2))
                .extracting(Verification.Comparison::output)
                .isEqualTo(List.of("onnx::y", "z:0"));
    }
}
