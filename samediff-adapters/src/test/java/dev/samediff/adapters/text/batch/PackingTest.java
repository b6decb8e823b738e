package dev.samediff.adapters.text.batch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.text.generation.RandomSequences;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PackingTest {
    /** The tokens that count, sorted. */
    private static List<Integer> learned(List<TokenSequence> sequences) {
        List<Integer> learned = new ArrayList<>();
        for (TokenSequence sequence : sequences) {
            for (int i = 1; i < sequence.length(); i++) {
                if (sequence.labelled()[i]) {
                    learned.add(sequence.ids()[i]);
                }
            }
        }
        Collections.sort(learned);
        return learned;
    }

    @ParameterizedTest
    @EnumSource(Packing.class)
    void the_same_tokens_count_with_and_without_packing(Packing packing) {
        List<TokenSequence> data = RandomSequences.of(200, 30, 3);
        List<TokenSequence> rows = packing.pack(data, 63);
        assertThat(learned(rows)).isEqualTo(learned(data));
        assertThat(rows).allMatch(row -> row.length() <= 64);
    }

    @Test
    void a_stream_fills_its_rows_and_never_learns_across_a_border() {
        List<TokenSequence> rows = Packing.STREAM.pack(
                List.of(
                        TokenSequence.allLabelled(1, 2, 3),
                        TokenSequence.allLabelled(4, 5),
                        TokenSequence.allLabelled(6, 7, 8)),
                4);
        assertThat(rows)
                .containsExactly(
                        new TokenSequence(new int[] {1, 2, 3, 4, 5}, new boolean[] {false, true, true, false, true}),
                        new TokenSequence(new int[] {5, 6, 7, 8}, new boolean[] {false, false, true, true}));
    }

    @Test
    void best_fit_keeps_sequences_whole_and_puts_them_where_they_fit_best() {
        List<TokenSequence> rows = Packing.BEST_FIT.pack(
                List.of(
                        TokenSequence.allLabelled(1, 2),
                        TokenSequence.allLabelled(3, 4, 5, 6, 7, 8),
                        TokenSequence.allLabelled(9, 10, 11, 12, 13),
                        TokenSequence.allLabelled(14, 15, 16)),
                7);
        assertThat(rows).hasSize(2);
        assertThat(rows.get(0).ids()).containsExactly(3, 4, 5, 6, 7, 8, 1, 2);
        assertThat(rows.get(1).ids()).containsExactly(9, 10, 11, 12, 13, 14, 15, 16);
        assertThat(rows.get(1).labelled()).containsExactly(false, true, true, true, true, false, true, true);
    }

    @Test
    void packed_batches_have_almost_no_padding() {
        List<TokenSequence> data = RandomSequences.of(500, 60, 3);
        BatchPlan plan = BatchPlan.of(4, 127).shuffled(1);
        assertThat(new CausalLmIterator(data, 0, plan.packed(Packing.STREAM)).paddingShare())
                .isLessThan(0.01);
        assertThat(new CausalLmIterator(data, 0, plan.packed(Packing.BEST_FIT)).paddingShare())
                .isLessThan(0.02);
    }

    /** The token where two windows of a text meet was in the row twice. */
    @ParameterizedTest
    @EnumSource(
            value = Packing.class,
            names = {"STREAM", "BEST_FIT"})
    void windows_of_a_text_that_come_together_share_their_token(Packing packing) {
        List<TokenSequence> windows = List.of(
                TokenSequence.allLabelled(1, 2, 3, 4),
                TokenSequence.allLabelled(4, 5, 6, 7).continuing(),
                TokenSequence.allLabelled(7, 8).continuing());
        assertThat(packing.pack(windows, 15))
                .containsExactly(new TokenSequence(
                        new int[] {1, 2, 3, 4, 5, 6, 7, 8},
                        new boolean[] {false, true, true, true, true, true, true, true}));
    }

    @Test
    void a_window_whose_text_is_elsewhere_keeps_its_first_token() {
        List<TokenSequence> parts = List.of(
                TokenSequence.allLabelled(9, 8),
                TokenSequence.allLabelled(4, 5, 6).continuing(),
                TokenSequence.allLabelled(6, 7));
        assertThat(Packing.STREAM.pack(parts, 15))
                .containsExactly(new TokenSequence(
                        new int[] {9, 8, 4, 5, 6, 6, 7}, new boolean[] {false, true, false, true, true, false, true}));
    }
}
