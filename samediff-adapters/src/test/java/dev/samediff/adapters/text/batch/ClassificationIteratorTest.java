package dev.samediff.adapters.text.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.text.jsonl.LabelledTexts;
import dev.samediff.adapters.text.tokenizer.HuggingFaceTokenizer;
import dev.samediff.adapters.text.tokenizer.HuggingFaceTokenizerTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.api.MultiDataSet;

class ClassificationIteratorTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    private HuggingFaceTokenizer words() throws IOException {
        try (var in = HuggingFaceTokenizerTest.class.getResourceAsStream("words-tokenizer.json")) {
            return HuggingFaceTokenizer.load(Files.write(folder.resolve("tokenizer.json"), in.readAllBytes()));
        }
    }

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("classes.jsonl"), text);
    }

    @Test
    void texts_are_framed_padded_and_masked_and_labels_are_class_numbers() throws IOException {
        try (HuggingFaceTokenizer tokenizer = words()) {
            ClassificationIterator iterator = new ClassificationIterator(
                    List.of(new LabelledText("the cat", 2), new LabelledText("sat", 0)),
                    tokenizer,
                    BatchPlan.of(4, 8).filling(List.of("input_ids", "attention_mask", "token_type_ids")));
            MultiDataSet batch = iterator.next();
            assertThat(batch.getFeatures(0).toLongMatrix()).isDeepEqualTo(new long[][] {{2, 4, 5, 3}, {2, 6, 3, 1}});
            assertThat(batch.getFeatures(1).toLongMatrix()).isDeepEqualTo(new long[][] {{1, 1, 1, 1}, {1, 1, 1, 0}});
            assertThat(batch.getFeatures(2).toLongMatrix()).isDeepEqualTo(new long[][] {{0, 0, 0, 0}, {0, 0, 0, 0}});
            assertThat(batch.getLabels(0).dataType()).isEqualTo(DataType.INT);
            assertThat(batch.getLabels(0).shape()).containsExactly(2);
            assertThat(batch.getLabels(0).toIntVector()).containsExactly(2, 0);
        }
    }

    @Test
    void a_long_text_is_cut_inside_its_frame() throws IOException {
        try (HuggingFaceTokenizer tokenizer = words()) {
            ClassificationIterator iterator = new ClassificationIterator(
                    List.of(new LabelledText("the cat sat on the mat", 0)), tokenizer, BatchPlan.of(1, 5));
            assertThat(iterator.next().getFeatures(0).toLongVector()).containsExactly(2, 4, 5, 6, 3);
            assertThat(iterator.cutTexts()).isEqualTo(1);
        }
    }

    @Test
    void packing_is_refused() throws IOException {
        try (HuggingFaceTokenizer tokenizer = words()) {
            assertThatThrownBy(() -> new ClassificationIterator(
                            List.of(new LabelledText("cat", 0)),
                            tokenizer,
                            BatchPlan.of(1, 5).packed(Packing.STREAM)))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("packing STREAM is for language models");
        }
    }

    @Test
    void names_of_classes_are_sorted_and_used_again_for_further_data() throws IOException {
        LabelledTexts train = LabelledTexts.read(
                file(
                        "{\"text\":\"a\",\"label\":\"no\"}\n{\"text\":\"b\",\"label\":\"yes\"}\n{\"text\":\"c\",\"label\":\"maybe\"}"));
        assertThat(train.classes()).containsExactly("maybe", "no", "yes");
        assertThat(train.examples()).extracting(LabelledText::label).containsExactly(1, 2, 0);
        Path further = file("{\"text\":\"a\",\"label\":\"yes\"}");
        assertThat(LabelledTexts.read(further, train.classes()).examples()).containsExactly(new LabelledText("a", 2));
        Path unknown = file("{\"text\":\"a\",\"label\":\"never\"}");
        assertThatThrownBy(() -> LabelledTexts.read(unknown, train.classes()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("the label `never` of the text `a` is none of the 3 classes: maybe, no, yes");
    }

    @Test
    void numbers_are_class_numbers() throws IOException {
        LabelledTexts texts = LabelledTexts.read(file("{\"text\":\"a\",\"label\":2}\n{\"text\":\"b\",\"label\":0}"));
        assertThat(texts.classes()).containsExactly("0", "1", "2");
        assertThat(texts.examples()).extracting(LabelledText::label).containsExactly(2, 0);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '^',
            value = {
                "{\"text\":\"b\"};`label` is missing",
                "{\"text\":\"b\",\"label\":-1};`label` is -1, expected the name of a class or its number, from 0 to 99999",
                "{\"text\":\"b\",\"label\":1.5};`label` is 1.5",
                "{\"text\":\"b\",\"label\":\"x\"};`label` is a string, unlike those before",
                "{\"label\":1};has no key `text`",
            })
    void a_broken_line_is_refused(String line, String reason) throws IOException {
        Path file = file("{\"text\":\"a\",\"label\":1}\n" + line);
        assertThatThrownBy(() -> LabelledTexts.read(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("line 2: " + reason);
    }
}
