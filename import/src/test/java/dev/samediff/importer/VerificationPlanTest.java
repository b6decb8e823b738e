package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.fixture.Fixture;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import onnx.Onnx.ModelProto;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** What a thorough verification compares: the longest text, sizes of one's choice, both precisions, small types. */
class VerificationPlanTest {
    private static final Fixture FIXTURE = Fixture.named("gpt2-conv1d-op13");

    @TempDir
    Path folder;

    private static VerificationPlan at(Map<String, Long> sizes) {
        return new VerificationPlan(1e-4, 1, List.of(sizes), 0, false);
    }

    @Test
    void both_precisions_and_the_longest_text_are_compared() {
        Verification verification = OnnxVerifier.verify(FIXTURE.onnx(), VerificationPlan.thorough(1e-4, 1, 512));
        assertThat(verification.passed()).as(verification.toString()).isTrue();
        assertThat(verification.comparisons())
                .hasSize(4)
                .allSatisfy(
                        comparison -> assertThat(comparison.absoluteInDouble()).isLessThan(1e-5));
        assertThat(verification.notes()).singleElement().asString().contains("the model takes up to");
        assertThat(verification.comparisons().get(3).sizes()).contains("= 1");
    }

    @Test
    void the_longest_text_is_capped_by_what_is_asked_for() {
        Verification verification =
                OnnxVerifier.verify(FIXTURE.onnx(), new VerificationPlan(1e-4, 1, List.of(), 6, false));
        assertThat(verification.notes().get(0)).contains("6 were tried, as many as was asked for");
        assertThat(verification.comparisons().get(3).sizes()).contains("= 6");
        assertThat(verification.comparisons().get(0).absoluteInDouble()).isNaN();
    }

    @Test
    void sizes_are_given_by_meaning_or_by_the_name_in_the_file() {
        Verification verification = OnnxVerifier.verify(FIXTURE.onnx(), at(Map.of("batch", 2L, "sequence", 3L)));
        assertThat(verification.comparisons())
                .singleElement()
                .satisfies(comparison ->
                        assertThat(comparison.expectedShape().subList(0, 2)).containsExactly(2L, 3L));
        assertThatThrownBy(() -> OnnxVerifier.verify(FIXTURE.onnx(), at(Map.of("lines", 2L))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("lines")
                .hasMessageContaining("sequence");
        assertThatThrownBy(() -> at(Map.of("batch", 0L))).isInstanceOf(InvalidInputException.class);
    }

    @Test
    void what_is_hidden_and_an_empty_past_are_told_beside_the_sizes() {
        Verification masked =
                OnnxVerifier.verify(Fixture.named("bert-mlm-op17").onnx(), VerificationPlan.quick(1e-4, 1));
        assertThat(masked.comparisons().stream().map(Verification.Comparison::sizes))
                .anyMatch(sizes -> sizes.endsWith("padded on the right"))
                .anyMatch(sizes -> sizes.endsWith("padded on the left"))
                .anyMatch(sizes -> sizes.endsWith("whole rows hidden"));
        assertThat(masked.passed()).as(masked.toString()).isTrue();
    }

    /** A batch of one loses an axis more in ONNX Runtime. */
    @Test
    void a_graph_that_cannot_run_where_onnx_runtime_can_fails_and_says_where() {
        Path file = new TinyModel(13)
                .input("x", DataType.FLOAT, -1, -2, 1)
                .node("Squeeze", "x", "y")
                .output("y")
                .write(folder);
        assertThat(OnnxImporter.load(file).report().notes())
                .anyMatch(note -> note.contains("Squeeze") && note.contains("names no axes"));
        Verification verification = OnnxVerifier.verify(file, VerificationPlan.quick(1e-4, 1));
        assertThat(verification.passed()).isFalse();
        assertThat(verification.notes()).anyMatch(note -> note.contains("cannot run at d1 = 1"));
        assertThat(verification.comparisons())
                .filteredOn(comparison -> comparison.absolute() == 0)
                .hasSize(2);
    }

    /** The model with other element types for its input and its output. */
    private Path typed(TinyModel model, TensorProto.DataType input, TensorProto.DataType output) throws IOException {
        ModelProto.Builder proto = model.proto().toBuilder();
        proto.getGraphBuilder()
                .getInputBuilder(0)
                .getTypeBuilder()
                .getTensorTypeBuilder()
                .setElemType(input.getNumber());
        proto.getGraphBuilder()
                .getOutputBuilder(0)
                .getTypeBuilder()
                .getTensorTypeBuilder()
                .setElemType(output.getNumber());
        return Files.write(folder.resolve("typed.onnx"), proto.build().toByteArray());
    }

    @Test
    void half_precision_is_fed_and_read_and_has_a_tolerance_of_its_own() throws IOException {
        TinyModel model = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .node("Cast", "x", "wide", "to", 1)
                .node("Tanh", "wide", "t")
                .node("Cast", "t", "y", "to", 10)
                .output("y", DataType.FLOAT, -1, 4);
        Path file = typed(model, TensorProto.DataType.FLOAT16, TensorProto.DataType.FLOAT16);
        Verification verification = OnnxVerifier.verify(file, 1e-4, 1);

        assertThat(verification.passed()).as(verification.toString()).isTrue();
        assertThat(verification.worst().absolute()).isBetween(1e-5, 1e-2);
        assertThat(verification.toString()).contains("half precision: a tolerance of 0.01");
    }

    @Test
    void bytes_have_their_sign_or_none() throws IOException {
        TinyModel model = new TinyModel(17)
                .input("x", DataType.INT, -1, 4)
                .initializer("large", HostTensor.of(DataType.INT, new long[0], new long[] {200}))
                .node("Cast", "x", "i", "to", 6)
                .node("Add", "i large", "sum")
                .node("Cast", "sum", "y", "to", 2)
                .output("y", DataType.INT, -1, 4);
        Verification unsigned =
                OnnxVerifier.verify(typed(model, TensorProto.DataType.UINT8, TensorProto.DataType.UINT8), 0, 1);
        assertThat(unsigned.passed()).as(unsigned.toString()).isTrue();

        TinyModel negative = new TinyModel(17)
                .input("x", DataType.INT, -1, 4)
                .node("Cast", "x", "i", "to", 6)
                .node("Neg", "i", "n")
                .node("Cast", "n", "y", "to", 3)
                .output("y", DataType.INT, -1, 4);
        Verification signed =
                OnnxVerifier.verify(typed(negative, TensorProto.DataType.INT8, TensorProto.DataType.INT8), 0, 1);
        assertThat(signed.passed()).as(signed.toString()).isTrue();
    }
}
