package dev.samediff.adapters.text.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.TextGroup;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Batches of texts and answers that are compared: all first parts, then all second ones. */
class TextGroupIteratorTest {
    private static final BatchPlan PLAN = BatchPlan.of(2, 4).filling(List.of("input_ids", "attention_mask"));

    @Test
    void the_parts_of_items_lie_one_behind_the_other() {
        TextGroupIterator items = new TextGroupIterator(
                List.of(TextGroup.of("a", "bb", "c"), TextGroup.of("d", "e", "ffff"), TextGroup.of("g", "h", "i")),
                new Letters(),
                PLAN);
        assertThat(items.cutTexts()).isEqualTo(1);
        MultiDataSet batch = items.next();
        assertThat(batch.getFeatures(0).toIntMatrix()).isDeepEqualTo(new int[][] {
            {1, 10, 2, 0}, {1, 13, 2, 0}, {1, 11, 11, 2}, {1, 14, 2, 0}, {1, 12, 2, 0}, {1, 15, 15, 2}
        });
        assertThat(batch.getFeatures(1).sumNumber().intValue()).isEqualTo(20);
        assertThat(batch.getLabels()).isEmpty();
        assertThat(items.next().getFeatures(0).size(0)).isEqualTo(3);
    }

    @Test
    void pairs_have_their_scores() {
        TextGroupIterator items = new TextGroupIterator(
                List.of(TextGroup.scored("a", "b", 0.5), TextGroup.scored("c", "d", -1)), new Letters(), PLAN);
        assertThat(items.next().getLabels(0).toFloatVector()).containsExactly(0.5f, -1f);
        TextGroupIterator other = new TextGroupIterator(
                List.of(TextGroup.scored("a", "b", 0.5), TextGroup.scored("c", "d", -0.5)), new Letters(), PLAN);
        assertThat(other.description()).isNotEqualTo(items.description());
    }

    @Test
    void items_that_do_not_fit_each_other_are_refused_by_number() {
        assertThatThrownBy(() -> new TextGroupIterator(
                        List.of(TextGroup.of("a", "b"), TextGroup.of("a", "b", "c")), new Letters(), PLAN))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("item 1 has 3 texts, the first one 2");
        assertThatThrownBy(() -> new TextGroupIterator(
                        List.of(TextGroup.of("a", "b"), TextGroup.scored("a", "b", 1)), new Letters(), PLAN))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("item 1 has the score 1.0, the first one NaN");
        assertThatThrownBy(() -> new TextGroupIterator(List.of(TextGroup.of("a")), new Letters(), PLAN))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("item 0 has 1 texts");
    }

    @Test
    void chosen_answers_come_before_rejected_ones_and_prompts_do_not_count() {
        TokenSequence chosen = new TokenSequence(new int[] {5, 6, 7, 2}, new boolean[] {false, false, true, true});
        TokenSequence rejected = new TokenSequence(new int[] {5, 6, 2}, new boolean[] {false, false, true});
        PreferenceIterator pairs = new PreferenceIterator(
                List.of(new PreferencePair(chosen, rejected), new PreferencePair(rejected, chosen)), 0, PLAN);
        MultiDataSet batch = pairs.next();
        assertThat(batch.getFeatures(0).toIntMatrix())
                .isDeepEqualTo(new int[][] {{5, 6, 7}, {5, 6, 0}, {5, 6, 0}, {5, 6, 7}});
        assertThat(batch.getLabels(0).toIntMatrix())
                .isDeepEqualTo(new int[][] {{-100, 7, 2}, {-100, 2, -100}, {-100, 2, -100}, {-100, 7, 2}});
        assertThat(batch.getLabels()).hasSize(1);
        INDArray first = Nd4j.createFromArray(-1f, -2f);
        INDArray second = Nd4j.createFromArray(-3f, -4f);
        assertThat(pairs.withReference(first, second).next().getLabels(1).toFloatVector())
                .containsExactly(-1, -2, -3, -4);
        assertThatThrownBy(() -> pairs.withReference(first, Nd4j.createFromArray(-3f)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("2 and 1 log-probabilities for 2 pairs");
        assertThatThrownBy(() -> pairs.withReference(first, Nd4j.createFromArray(-3f, Float.NaN)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("pair 1 is NaN");
    }
}
