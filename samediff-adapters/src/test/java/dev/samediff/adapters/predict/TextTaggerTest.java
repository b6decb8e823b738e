package dev.samediff.adapters.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.adapters.task.TaskHead;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TextTaggerTest {
    private static final List<String> TAGS = List.of("B-A", "B-B", "O");

    private final TinyEncoder encoder = new TinyEncoder(3);
    private final String scores = tagging();
    private final ModelPool pool =
            ModelPool.open(encoder.graph, Map.of(), PoolOptions.defaults().withWorkers(2));

    private String tagging() {
        String name = TaskHead.tagging(3).withModule("tagger").addTo(encoder.graph, TinyEncoder.FEATURES, 8);
        Random random = new Random(2);
        INDArray weight = Nd4j.create(8, 3);
        for (int i = 0; i < 24; i++) {
            weight.putScalar(i, random.nextGaussian());
        }
        encoder.graph.getVariable("tagger.weight").setArray(weight.castTo(DataType.FLOAT));
        return name;
    }

    private TextTagger tagger(int maxLength) {
        return TextTagger.of(pool, encoder.letters, PredictionPlan.upTo(maxLength), scores, TAGS);
    }

    @AfterEach
    void close() {
        pool.close();
    }

    @Test
    void a_word_has_the_tag_of_its_first_token() {
        List<String> words = TextTagger.words("  ann met\tbob at noon ");
        assertThat(words).containsExactly("ann", "met", "bob", "at", "noon");
        INDArray all = encoder.output(encoder.graph, String.join(" ", words), scores);
        int place = 0;
        List<TaggedWord> found = tagger(64).predict(words);
        assertThat(found.stream().map(TaggedWord::word)).isEqualTo(words);
        for (TaggedWord word : found) {
            double[] expected =
                    Scores.softmax(all.slice(place).castTo(DataType.DOUBLE).toDoubleVector());
            assertThat(word.probability()).isCloseTo(expected[TAGS.indexOf(word.tag())], within(1e-5));
            assertThat(word.probability())
                    .isCloseTo(Arrays.stream(expected).max().orElseThrow(), within(1e-5));
            // of a word behind another the blank is the first token
            place += word.word().length() + (place == 0 ? 0 : 1);
        }
    }

    @Test
    void many_sentences_of_any_length_have_a_tag_for_every_word() {
        Random random = new Random(4);
        List<List<String>> sentences = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            List<String> words = new ArrayList<>();
            for (int word = 0; word <= random.nextInt(30); word++) {
                words.add("abcdefghijklmnopqrstuvwxyz".substring(random.nextInt(20)));
            }
            sentences.add(words);
        }
        TextTagger tagger = tagger(16); // shorter than most sentences, and than some words
        List<List<TaggedWord>> found = tagger.predict(sentences);
        for (int i = 0; i < sentences.size(); i++) {
            assertThat(found.get(i).stream().map(TaggedWord::word)).isEqualTo(sentences.get(i));
            assertThat(found.get(i).stream().map(TaggedWord::tag))
                    .isEqualTo(tagger.predict(sentences.get(i)).stream()
                            .map(TaggedWord::tag)
                            .toList());
        }
    }

    @Test
    void what_cannot_be_tagged_is_refused_with_the_reason() {
        assertThatThrownBy(() -> tagger(64).predict(List.of(List.of("a"), List.of())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("sentence 1 has no words");
        assertThatThrownBy(() -> TextTagger.of(pool, encoder.letters, PredictionPlan.upTo(9), scores, List.of("O"))
                        .predict(List.of("a")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("3 tags, but there are names for 1");
        assertThatThrownBy(() -> TextTagger.of(pool, encoder.letters, PredictionPlan.upTo(9), TinyEncoder.LOGITS, TAGS)
                        .predict(List.of("a")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("scores for each token");
        assertThat(TextTagger.words(" ")).isEmpty();
    }
}
