package dev.samediff.importer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static dev.samediff.importer.fixture.OnnxFiles.floats;
import static dev.samediff.importer.fixture.OnnxFiles.longs;
import static dev.samediff.importer.fixture.OnnxFiles.node;
import static dev.samediff.importer.fixture.OnnxFiles.tensor;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Objects;
import java.util.Random;
import onnx.Onnx;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class RandomInputsTest {
    private static final InputSizes SIZES = new InputSizes(2, 50, 3);

    private static final Onnx.GraphProto GRAPH = Onnx.GraphProto.newBuilder()
            .addInput(longs("input_ids", "batch", "seq"))
            .addInput(longs("token_type_ids", "batch", "seq"))
            .addInput(longs("attention_mask", "batch", "past_seq + seq"))
            .addInput(longs("position_ids", "batch", "seq"))
            .addInput(floats("past.0.key", "batch", 4, "past_seq", 8))
            .addInput(floats("anything", "", 7))
            .addInput(floats("table", 7, 3))
            .addInitializer(tensor("table", Nd4j.zeros(DataType.FLOAT, 7, 3)))
            .addInitializer(tensor("types", Nd4j.zeros(DataType.FLOAT, 3, 3)))
            .addNode(node("Identity", "same", "table"))
            .addNode(node("Cast", "cast", "input_ids"))
            .addNode(node("Gather", "x", "same", "cast"))
            .addNode(node("Gather", "t", "types", "token_type_ids"))
            .build();

    private final RandomInputs inputs = new RandomInputs(GRAPH);
    private final Map<String, INDArray> drawn = inputs.draw(SIZES, new Random(1));

    private INDArray drawn(String name) {
        return Objects.requireNonNull(drawn.get(name));
    }

    @Test
    void initializers_are_no_inputs() {
        assertThat(drawn).doesNotContainKey("table").hasSize(6);
    }

    @Test
    void equal_names_get_equal_sizes_and_sums_are_added_up() {
        assertThat(drawn("input_ids").shape()).containsExactly(2, 50);
        assertThat(drawn("attention_mask").shape()).containsExactly(2, 53);
        assertThat(drawn("past.0.key").shape()).containsExactly(2, 4, 3, 8);
        assertThat(SIZES.describe(inputs.inputs())).isEqualTo("batch = 2, seq = 50, past_seq = 3, anything[0] = 2");
    }

    @Test
    void ids_stay_below_the_height_of_the_table_they_index() {
        assertThat(drawn("input_ids").maxNumber().intValue()).isEqualTo(6);
        assertThat(drawn("token_type_ids").maxNumber().intValue()).isEqualTo(2);
    }

    @Test
    void masks_end_in_zeros_in_every_second_row() {
        INDArray mask = drawn("attention_mask");
        assertThat(mask.getRow(0).sumNumber().intValue()).isEqualTo(53 - 13);
        assertThat(mask.getRow(1).sumNumber().intValue()).isEqualTo(53);
        assertThat(mask.getInt(0, 52)).isZero();
    }

    @Test
    void positions_count_up() {
        assertThat(drawn("position_ids").getRow(1).toLongVector())
                .isEqualTo(java.util.stream.LongStream.range(0, 50).toArray());
    }

    @Test
    void masks_that_are_added_to_scores_hide_with_large_negative_numbers() {
        Onnx.GraphProto graph = Onnx.GraphProto.newBuilder()
                .addInput(floats("attention_mask", "batch", 1, "seq", "seq"))
                .build();
        INDArray mask = Objects.requireNonNull(
                new RandomInputs(graph).draw(SIZES, new Random(1)).get("attention_mask"));
        assertThat(mask.maxNumber().doubleValue()).isZero();
        assertThat(mask.minNumber().doubleValue()).isLessThan(-1000);
        assertThat(mask.getDouble(0, 0, 0, 0)).isZero();
    }

    @Test
    void lengths_of_grouped_attention_are_those_of_full_rows() {
        Onnx.GraphProto graph = Onnx.GraphProto.newBuilder()
                .addInput(longs("seqlens_k", "batch"))
                .addInput(longs("total_sequence_length"))
                .addInput(longs("decoder_input_ids", "batch", "decoder_sequence_length"))
                .addInput(floats("encoder_hidden_states", "batch", "encoder_sequence_length", 4))
                .addInput(floats("pixel_values", "batch", "num_channels", "height", "width"))
                .build();
        Map<String, INDArray> all = new RandomInputs(graph).draw(SIZES, new Random(1));
        assertThat(all.get("seqlens_k").toLongVector()).containsExactly(52, 52);
        assertThat(all.get("total_sequence_length").getLong(0)).isEqualTo(53);
        assertThat(all.get("decoder_input_ids").shape()).containsExactly(2, 50);
        assertThat(all.get("encoder_hidden_states").shape()).containsExactly(2, 51, 4);
        assertThat(all.get("pixel_values").shape()).containsExactly(2, 3, 32, 32);
    }

    /** Its kernel counts what a mask shows and reads outside of its memory if that is less than the past and the text. */
    @Test
    void masks_of_grouped_attention_show_all_tokens() {
        Onnx.GraphProto graph = Onnx.GraphProto.newBuilder()
                .addInput(longs("attention_mask", "batch", "sequence"))
                .addNode(node("GroupQueryAttention", "y", "attention_mask"))
                .build();
        RandomInputs shown = new RandomInputs(graph);
        for (RandomInputs.Hiding hiding : RandomInputs.Hiding.values()) {
            INDArray mask = Objects.requireNonNull(
                    shown.draw(SIZES, hiding, new Random(1)).get("attention_mask"));
            assertThat(mask.minNumber().intValue()).isOne();
        }
        assertThat(shown.hidesRows()).isFalse();
        assertThat(shown.showsAll()).isTrue();
    }

    @Test
    void rows_of_truth_values_of_any_name_are_hidden_whole_in_either_sense() {
        Onnx.GraphProto graph = Onnx.GraphProto.newBuilder()
                .addInput(Onnx.ValueInfoProto.newBuilder(longs("visible", "batch", "sequence"))
                        .setType(Onnx.TypeProto.newBuilder()
                                .setTensorType(
                                        longs("visible", "batch", "sequence").getType().getTensorType().toBuilder()
                                                .setElemType(Onnx.TensorProto.DataType.BOOL_VALUE))))
                .build();
        RandomInputs truths = new RandomInputs(graph);
        INDArray drawn = Objects.requireNonNull(truths.draw(SIZES, RandomInputs.Hiding.ROWS, new Random(1))
                        .get("visible"))
                .castTo(DataType.INT);
        assertThat(truths.hidesRows()).isTrue();
        assertThat(truths.hasMask()).isFalse();
        assertThat(drawn.sum(1).toIntVector()).containsExactly(0, 50);
    }

    @Test
    void equal_seeds_give_equal_inputs() {
        assertThatBits(inputs.draw(SIZES, new Random(1))).isEqualTo(drawn);
        assertThatBits(inputs.draw(SIZES, new Random(2))).isNotEqualTo(drawn);
    }
}
