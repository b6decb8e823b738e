package dev.samediff.adapters.text.batch;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.PreferenceExample;
import dev.samediff.adapters.text.jsonl.ScoredText;
import dev.samediff.adapters.text.jsonl.TaggedWords;
import dev.samediff.adapters.text.jsonl.TextExample;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Batches for tagging, regression, sequence to sequence and preferences. */
class TaskIteratorsTest {
    private static final BatchPlan PLAN = BatchPlan.of(2, 6).filling(List.of("input_ids", "attention_mask"));

    @Test
    void the_first_piece_of_a_word_has_its_label() {
        TaggingIterator sentences = new TaggingIterator(
                List.of(
                        new TaggedWords(List.of("ab", "c"), List.of(4, 7)),
                        new TaggedWords(List.of("d", "ef", "gh"), List.of(5, 6, 8))),
                new Letters(),
                PLAN);
        MultiDataSet batch = sentences.next();
        assertThat(batch.getFeatures(0).toIntMatrix())
                .isDeepEqualTo(new int[][] {{1, 10, 11, 12, 2}, {1, 13, 14, 15, 2}});
        assertThat(batch.getLabels(0).toIntMatrix())
                .isDeepEqualTo(new int[][] {{-100, 4, -100, 7, -100}, {-100, 5, 6, -100, -100}});
        assertThat(batch.getLabelsMaskArray(0).toFloatMatrix())
                .isDeepEqualTo(new float[][] {{0, 1, 0, 1, 0}, {0, 1, 1, 0, 0}});
        assertThat(sentences.cutTexts()).isEqualTo(1);
    }

    /** As byte level tokenizers have it, the blank before a word is part of its first piece. */
    @Test
    void words_are_encoded_as_they_are_in_the_text() {
        TaggingIterator sentences = new TaggingIterator(
                List.of(new TaggedWords(List.of("ab", "c"), List.of(4, 7))), new Letters(true), PLAN);
        assertThat(sentences.next().getFeatures(0).toIntMatrix()).isDeepEqualTo(new int[][] {{1, 10, 11, 112, 2}});
    }

    @Test
    void a_word_that_does_not_fit_alone_is_cut_behind_the_token_that_stands_for_it() {
        TaggingIterator sentences = new TaggingIterator(
                List.of(new TaggedWords(List.of("abcdefgh", "a"), List.of(1, 2))), new Letters(), PLAN);
        MultiDataSet batch = sentences.next();
        assertThat(batch.getFeatures(0).toIntMatrix()).isDeepEqualTo(new int[][] {{1, 10, 11, 12, 13, 2}});
        assertThat(batch.getLabels(0).toIntMatrix()).isDeepEqualTo(new int[][] {{-100, 1, -100, -100, -100, -100}});
        assertThat(sentences.cutTexts()).isEqualTo(1);
        assertThatThrownBy(() -> new TaggingIterator(
                        List.of(new TaggedWords(List.of("ab"), List.of(1))), new Letters(), BatchPlan.of(2, 2)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("the maximum length 2 has no room for a word");
        assertThatThrownBy(() -> new TaggedWords(List.of("a"), List.of()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("1 words and 0 labels");
    }

    @Test
    void hidden_tokens_are_the_labels_and_never_the_frame() {
        List<String> texts = Collections.nCopies(40, "abcdefghijklmnopqrst");
        BatchPlan plan = BatchPlan.of(40, 32).shuffled(5);
        MaskedLmIterator data = new MaskedLmIterator(texts, new Letters(), 99, plan);
        MultiDataSet batch = data.next();
        int[][] ids = batch.getFeatures(0).toIntMatrix();
        int[][] labels = batch.getLabels(0).toIntMatrix();
        float[][] mask = batch.getLabelsMaskArray(0).toFloatMatrix();
        int masked = 0;
        int kept = 0;
        for (int row = 0; row < ids.length; row++) {
            int chosen = 0;
            for (int t = 0; t < 22; t++) {
                int token = t == 0 ? 1 : t == 21 ? 2 : 9 + t;
                boolean hidden = labels[row][t] != -100;
                assertThat(mask[row][t]).isEqualTo(hidden ? 1 : 0);
                assertThat(hidden ? labels[row][t] : ids[row][t]).isEqualTo(token);
                chosen += hidden ? 1 : 0;
                masked += ids[row][t] == 99 ? 1 : 0;
                kept += hidden && ids[row][t] == token ? 1 : 0;
            }
            assertThat(chosen).isEqualTo(3); // 15 % of 20
        }
        assertThat(masked).isBetween(85, 107); // 80 % of 120
        assertThat(kept).isBetween(4, 25); // 10 %
        MaskedLmIterator again = new MaskedLmIterator(texts, new Letters(), 99, plan);
        assertThatBits(again.next().getFeatures(0)).isEqualTo(batch.getFeatures(0));
        again.reset();
        assertThatBits(again.next().getFeatures(0)).isNotEqualTo(batch.getFeatures(0));

        MaskedLmIterator ordered = new MaskedLmIterator(texts, new Letters(), 99, BatchPlan.of(40, 32));
        INDArray first = ordered.next().getFeatures(0);
        ordered.reset();
        assertThatBits(ordered.next().getFeatures(0)).isEqualTo(first);
        assertThatThrownBy(() -> new MaskedLmIterator(texts, new Letters(), 500, plan))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("the mask is the token 500");
    }

    @Test
    void numbers_of_texts_are_a_column() {
        RegressionIterator texts = new RegressionIterator(
                List.of(new ScoredText("ab", 1.5), new ScoredText("abcdefgh", -2)), new Letters(), PLAN);
        MultiDataSet batch = texts.next();
        assertThat(batch.getLabels(0).toFloatMatrix()).isDeepEqualTo(new float[][] {{1.5f}, {-2}});
        assertThat(batch.getFeatures(0).toIntMatrix())
                .isDeepEqualTo(new int[][] {{1, 10, 11, 2, 0, 0}, {1, 10, 11, 12, 13, 2}});
        assertThat(texts.cutTexts()).isEqualTo(1);
        assertThatThrownBy(() -> new RegressionIterator(List.of(new ScoredText("a", 1e60)), new Letters(), PLAN))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("text 0 has the number 1.0E60");
    }

    @Test
    void a_decoder_reads_its_labels_one_place_to_the_right() {
        SequenceToSequenceIterator pairs = new SequenceToSequenceIterator(
                List.of(new TextExample("abc", "d"), new TextExample("a", "efghijkl")), new Letters(), 0, PLAN);
        assertThat(pairs.featureNames()).containsExactly("input_ids", "attention_mask", "decoder_input_ids");
        MultiDataSet batch = pairs.next();
        assertThat(batch.getFeatures(0).toIntMatrix())
                .isDeepEqualTo(new int[][] {{1, 10, 11, 12, 2}, {1, 10, 2, 0, 0}});
        assertThat(batch.getFeatures(2).toIntMatrix())
                .isDeepEqualTo(new int[][] {{0, 13, 2, 0, 0, 0}, {0, 14, 15, 16, 17, 18}});
        assertThat(batch.getLabels(0).toIntMatrix())
                .isDeepEqualTo(new int[][] {{13, 2, -100, -100, -100, -100}, {14, 15, 16, 17, 18, 2}});
        assertThat(batch.getLabelsMaskArray(0).sumNumber().intValue()).isEqualTo(8);
    }

    @Test
    void pairs_of_answers_are_encoded_and_those_that_do_not_fit_left_out() {
        SequenceEncoder encoder = SequenceEncoder.of(new Letters(), 6);
        PreferenceIterator pairs = PreferenceIterator.of(
                List.of(
                        new PreferenceExample("ab", "c", "de"),
                        new PreferenceExample("ab", "c", "defghijklmn"),
                        new PreferenceExample("a", "b", "c")),
                encoder,
                PLAN);
        assertThat(pairs.sequences()).isEqualTo(2);
        MultiDataSet batch = pairs.next();
        assertThat(batch.getFeatures(0).toIntMatrix())
                .isDeepEqualTo(new int[][] {{10, 11, 12, 0}, {10, 11, 0, 0}, {10, 11, 13, 14}, {10, 12, 0, 0}});
        assertThat(batch.getLabels(0).toIntMatrix())
                .isDeepEqualTo(
                        new int[][] {{-100, 12, 2, -100}, {11, 2, -100, -100}, {-100, 13, 14, 2}, {12, 2, -100, -100}});
        assertThatThrownBy(() ->
                        PreferenceIterator.of(List.of(new PreferenceExample("", "abcdefghi", "b")), encoder, PLAN))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no pair came of 1 examples");
    }
}
