package dev.samediff.adapters.text.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.PreferenceExample;
import dev.samediff.adapters.text.jsonl.ScoredText;
import dev.samediff.adapters.text.jsonl.TaggedWords;
import dev.samediff.adapters.text.jsonl.TextExample;
import java.util.List;
import org.junit.jupiter.api.Test;
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
    void a_word_that_does_not_fit_alone_is_refused() {
        assertThatThrownBy(() -> new TaggingIterator(
                        List.of(new TaggedWords(List.of("abcdefgh"), List.of(1))), new Letters(), PLAN))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("does not fit the maximum length 6");
        assertThatThrownBy(() -> new TaggedWords(List.of("a"), List.of()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("1 words and 0 labels");
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
