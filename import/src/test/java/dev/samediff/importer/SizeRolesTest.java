package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.lowering.KnownSizes;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx.ModelProto;
import onnx.Onnx.ValueInfoProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** Sizes for dimensions whose names say nothing: told by how the graph uses them. */
class SizeRolesTest {
    private static final InputSizes SIZES = new InputSizes(2, 5, 3);

    @TempDir
    Path folder;

    private static HostTensor reals(long... shape) {
        double[] values = new double[(int) HostTensor.length(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.sin(0.7 * i);
        }
        return HostTensor.of(DataType.FLOAT, shape, values);
    }

    /** The shapes of the inputs at a batch of 2 and 5 tokens. */
    private Map<String, List<Long>> shapes(TinyModel model) {
        ImportedModel imported = OnnxImporter.load(model.write(folder));
        GraphIndex index = new GraphIndex(imported.model().getGraph());
        InputSizes sizes = new SizeRoles(index, imported.sizes()).at(SIZES);
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        for (ValueInfoProto input : index.inputs()) {
            shapes.put(
                    input.getName(), Arrays.stream(sizes.shape(input)).boxed().toList());
        }
        return shapes;
    }

    /** Attention of one head over the second axis of [d1,d2,4], or over the first if the batch comes second. */
    private static TinyModel attention(boolean batchSecond) {
        TinyModel model = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, -2, 4)
                .input("hidden", DataType.BOOL, batchSecond ? -4 : -3, batchSecond ? -3 : -4)
                .initializer("w", reals(4, 4))
                .initializer("axis1", HostTensor.vector(1))
                .initializer("low", HostTensor.filled(DataType.FLOAT, new long[0], -1e4));
        String rows = "x";
        if (batchSecond) {
            model.node("Transpose", "x", "rows", "perm", new long[] {1, 0, 2})
                    .node("Transpose", "hidden", "pad", "perm", new long[] {1, 0});
            rows = "rows";
        }
        return model.node("MatMul", rows + " w", "q")
                .node("Transpose", rows, "k", "perm", new long[] {0, 2, 1})
                .node("MatMul", "q k", "scores")
                .node("Unsqueeze", (batchSecond ? "pad" : "hidden") + " axis1", "mask")
                .node("Where", "mask low scores", "masked")
                .node("Softmax", "masked", "p", "axis", -1)
                .node("MatMul", "p " + rows, "y")
                .output("y", DataType.FLOAT, -5, -6, 4);
    }

    @Test
    void batch_and_length_of_a_text_are_told_apart() {
        assertThat(shapes(attention(false)))
                .containsEntry("x", List.of(2L, 5L, 4L))
                .containsEntry("hidden", List.of(2L, 5L));
    }

    @Test
    void a_batch_on_the_second_axis_is_found_by_the_scores() {
        assertThat(shapes(attention(true)))
                .containsEntry("x", List.of(5L, 2L, 4L))
                .containsEntry("hidden", List.of(5L, 2L));
    }

    @Test
    void both_orders_pass_a_verification() {
        for (boolean batchSecond : List.of(false, true)) {
            Verification verification =
                    OnnxVerifier.verify(attention(batchSecond).write(folder), VerificationPlan.thorough(1e-4, 1, 64));
            assertThat(verification.passed()).as(verification.toString()).isTrue();
        }
    }

    @Test
    void channels_and_lengths_are_those_that_stored_tensors_need() {
        // as Whisper: [batch, feature_size, frames] through a convolution of stride 2, and a table of 10 positions
        TinyModel whisper = new TinyModel(17)
                .input("features", DataType.FLOAT, -1, -2, -3)
                .initializer("kernel", reals(4, 8, 3))
                .initializer("places", reals(10, 4))
                .node("Conv", "features kernel", "c", "strides", new long[] {2}, "pads", new long[] {1, 1})
                .node("Transpose", "c", "t", "perm", new long[] {0, 2, 1})
                .node("Add", "t places", "y")
                .output("y", DataType.FLOAT, -1, 10, 4);
        assertThat(shapes(whisper)).containsEntry("features", List.of(2L, 8L, 19L));
        assertThat(OnnxVerifier.verify(whisper.write(folder), 1e-4, 1).passed()).isTrue();
        TinyModel linear = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, -2, -3)
                .initializer("w", reals(6, 4))
                .node("MatMul", "x w", "y")
                .output("y", DataType.FLOAT, -1, -2, 4);
        assertThat(shapes(linear)).containsEntry("x", List.of(2L, 5L, 6L));
    }

    /** The mask of onnxruntime-genai's decoders covers the past; without a past its name is that of a text. */
    @Test
    void a_total_length_is_that_of_the_past_and_the_text() {
        for (boolean cached : List.of(true, false)) {
            TinyModel model = new TinyModel(17)
                    .input("x", DataType.FLOAT, -1, -2, 4)
                    .input("attention_mask", DataType.FLOAT, -1, -3)
                    .input("memory", DataType.FLOAT, -1, 2, -4, 4)
                    .node("Neg", "x", "y")
                    .output("y", DataType.FLOAT, -1, -2, 4);
            ModelProto.Builder named = model.proto().toBuilder();
            named.getGraphBuilder()
                    .getInputBuilderList()
                    .forEach(input ->
                            input.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder().getDimBuilderList().stream()
                                    .filter(dim -> !dim.getDimParam().isEmpty())
                                    .forEach(dim -> dim.setDimParam(
                                            switch (dim.getDimParam()) {
                                                case "d1" -> "batch_size";
                                                case "d2" -> "sequence_length";
                                                case "d3" -> "total_sequence_length";
                                                default -> cached ? "past_sequence_length" : "memory_length";
                                            })));
            GraphIndex index = new GraphIndex(named.getGraph());
            InputSizes sizes = new SizeRoles(index, new KnownSizes(Map.of(), List.of())).at(SIZES);
            assertThat(sizes.shape(index.inputs().get(1))).containsExactly(2, cached ? 8 : 5);
        }
    }

    @Test
    void names_that_speak_are_believed() {
        ModelProto.Builder named = attention(false).proto().toBuilder();
        named.getGraphBuilder()
                .getInputBuilder(0)
                .getTypeBuilder()
                .getTensorTypeBuilder()
                .getShapeBuilder()
                .getDimBuilder(0)
                .setDimParam("batch_size");
        assertThat(InputSizes.isSpeaking("batch_size")).isTrue();
        assertThat(List.of("unk__12", "input_ids_dynamic_axes_1", "s0", "d1", "axis_2"))
                .noneMatch(InputSizes::isSpeaking);
    }

    @Test
    void a_verification_never_takes_more_memory_than_the_machine_has() {
        Path file = attention(false).write(folder);
        VerificationPlan enormous =
                new VerificationPlan(1e-4, 1, List.of(Map.of("batch", 64L, "sequence", 1_000_000L)), 0, false);
        assertThatThrownBy(() -> OnnxVerifier.verify(file, enormous))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("GB of memory")
                .hasMessageContaining("smaller batch");
        // an unlimited model is tried at a length that fits
        Verification verification = OnnxVerifier.verify(file, new VerificationPlan(1e-3, 1, List.of(), 1 << 22, false));
        assertThat(verification.notes()).anyMatch(note -> note.contains("because more may not fit into memory"));
    }
}
