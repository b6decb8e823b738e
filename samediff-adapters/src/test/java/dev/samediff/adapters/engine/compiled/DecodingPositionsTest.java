package dev.samediff.adapters.engine.compiled;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.TinyGpt;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A session of two texts that was given one position read the next 8 bytes of the heap as the second one. */
class DecodingPositionsTest {
    private final TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3);
    private final DecodingSession session =
            new DecodingSession(gpt.graph, "input_ids", gpt.logits, EngineOptions.defaults());
    private final Map<String, INDArray> texts = gpt.inputs(2, 8, 1);

    @BeforeEach
    void start() {
        session.start(texts);
    }

    @AfterEach
    void close() {
        session.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "3", "3,3,3"})
    void there_is_one_position_for_each_text(String positions) {
        int[] given = positions.isEmpty()
                ? new int[0]
                : java.util.Arrays.stream(positions.split(","))
                        .mapToInt(Integer::parseInt)
                        .toArray();
        assertThatThrownBy(() -> session.next(texts, given))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("2 texts need 2 positions");
    }

    @Test
    void null_is_no_position() {
        assertThatThrownBy(() -> session.next(texts, (int[]) null))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("2 texts need 2 positions");
    }

    @ParameterizedTest
    @ValueSource(ints = {8, -1, 1000, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void a_position_is_within_the_texts(int position) {
        for (int[] given : new int[][] {{position, 0}, {0, position}}) {
            assertThatThrownBy(() -> session.next(texts, given))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("the position of text " + (given[0] == position ? 0 : 1) + " is " + position)
                    .hasMessageContaining("allowed is 0 to 7");
        }
        assertThat(session.next(texts, 7, 0).shape()).containsExactly(2, 11);
    }

    @Test
    void no_position_is_left_out() {
        Map<String, INDArray> longer = gpt.inputs(2, 12, 1);
        assertThatThrownBy(() -> session.next(longer, 8, 9))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("the position of text 1 is 9, allowed is 0 to 8");
        session.next(longer, 8, 8);
        session.next(longer, 9, 3);
        assertThatThrownBy(() -> session.next(longer, 10, 10)).hasMessageContaining("the position of text 1 is 10");
        assertThat(session.next(longer, 10, 9).shape()).containsExactly(2, 11);
    }

    @Test
    void placeholders_of_another_shape_than_at_the_start_are_not_read_beyond_their_end() {
        Map<String, INDArray> other = new HashMap<>(texts);
        other.put("causal", Nd4j.zeros(DataType.FLOAT, 3, 3));
        assertThatThrownBy(() -> session.next(other, 7, 7)).isInstanceOf(RuntimeException.class);
        assertThat(session.next(texts, 7, 7).shape()).containsExactly(2, 11);
    }

    @Test
    void other_texts_than_were_read_are_refused() {
        assertThatThrownBy(() -> session.next(gpt.inputs(3, 8, 1), 7, 7, 7))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("2 texts of 8 positions")
                .hasMessageContaining("3 texts of 8 positions");
        assertThatThrownBy(() -> session.next(gpt.inputs(2, 6, 1), 5, 5)).isInstanceOf(InvalidInputException.class);
        session.forget();
        assertThatThrownBy(() -> session.next(texts, 7, 7)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void texts_without_tokens_are_refused() {
        for (long[] shape : new long[][] {{0, 8}, {2, 0}}) {
            Map<String, INDArray> none = new HashMap<>(texts);
            none.put("input_ids", Nd4j.create(DataType.LONG, shape));
            assertThatThrownBy(() -> session.start(none))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("`input_ids` has no elements");
        }
    }
}
