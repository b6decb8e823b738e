package dev.samediff.adapters.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.adapters.task.Pooling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class PredictorsTest {
    private static final List<String> LABELS = List.of("red", "green", "blue");
    private static final PredictionPlan PLAN = PredictionPlan.upTo(64);

    private final TinyEncoder encoder = new TinyEncoder(3);
    private final ModelPool pool =
            ModelPool.open(encoder.graph, Map.of(), PoolOptions.defaults().withWorkers(3));
    private final TextClassifier classifier =
            TextClassifier.of(pool, encoder.letters, PLAN, TinyEncoder.LOGITS, LABELS);

    @AfterEach
    void close() {
        pool.close();
    }

    /** Texts of all lengths in no order. */
    private static List<String> texts(int count) {
        Random random = new Random(3);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            StringBuilder text = new StringBuilder();
            int length = 1 + random.nextInt(60);
            for (int j = 0; j < length; j++) {
                text.append((char) ('a' + random.nextInt(26)));
            }
            texts.add(text.toString());
        }
        return texts;
    }

    private static double[] numbers(INDArray array) {
        return array.castTo(DataType.DOUBLE).dup('c').reshape(array.length()).toDoubleVector();
    }

    private static void assertClose(double[] actual, double[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], within(2e-5));
        }
    }

    @Test
    void many_texts_in_batches_have_the_probabilities_that_each_has_alone() {
        List<String> texts = texts(75);
        List<Classification> found = classifier.predict(texts);
        assertThat(found).hasSameSizeAs(texts);
        for (int i = 0; i < texts.size(); i++) {
            double[] scores = numbers(encoder.output(encoder.graph, texts.get(i), TinyEncoder.LOGITS));
            assertClose(found.get(i).probabilities(), Scores.softmax(scores));
            assertClose(
                    classifier.predict(texts.get(i)).probabilities(),
                    found.get(i).probabilities());
        }
        assertThat(found.stream().map(Classification::label).distinct()).hasSizeGreaterThan(1);
    }

    @Test
    void an_adapter_with_a_head_of_its_own_answers_where_it_is_named() {
        AdapterState state = encoder.adapter(1);
        AdaptedModel adapted = AdaptedModel.inject(SharingCopy.of(encoder.graph), Map.of(), state);
        pool.put("support", state);
        List<String> texts = texts(9);
        List<Classification> base = classifier.predict(texts);
        List<Classification> found = classifier.withAdapter("support").predict(texts);
        for (int i = 0; i < texts.size(); i++) {
            double[] scores = numbers(encoder.output(adapted.graph(), texts.get(i), TinyEncoder.LOGITS));
            assertClose(found.get(i).probabilities(), Scores.softmax(scores));
        }
        assertThat(found).isNotEqualTo(base);
        assertThat(classifier.predict(texts)).isEqualTo(base);
        assertThatThrownBy(() -> classifier.withAdapter("sales").predict("a"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no adapter `sales`")
                .hasMessageContaining("support");
    }

    @Test
    void texts_of_several_labels_have_probabilities_that_do_not_add_up() {
        String text = "several";
        double[] scores = numbers(encoder.output(encoder.graph, text, TinyEncoder.LOGITS));
        Classification found = classifier.withSeveralLabels().predict(text);
        assertClose(found.probabilities(), Scores.sigmoid(scores));
        assertThat(found.atLeast(0.5))
                .allMatch(candidate -> candidate.probability() >= 0.5)
                .hasSize((int) Arrays.stream(found.probabilities())
                        .filter(p -> p >= 0.5)
                        .count());
        assertThat(found.ranked()).hasSize(3);
        assertThat(found.best()).isEqualTo(found.ranked().get(0));
    }

    @Test
    void what_cannot_be_answered_is_refused_with_the_reason() {
        assertThatThrownBy(() -> classifier.predict(List.of("a", "")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("text 1 has no tokens");
        assertThatThrownBy(() -> TextClassifier.of(pool, encoder.letters, PLAN, "scores", LABELS))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no variable `scores`")
                .hasMessageContaining(TinyEncoder.LOGITS);
        assertThatThrownBy(() -> TextClassifier.of(pool, encoder.letters, PLAN, TinyEncoder.LOGITS, List.of("one"))
                        .predict("a"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("3 classes, but there are names for 1");
        assertThatThrownBy(() -> TextClassifier.of(pool, encoder.letters, PLAN, TinyEncoder.FEATURES, LABELS)
                        .predict("a"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("a vector for each text");
        assertThatThrownBy(() -> TextClassifier.of(pool, encoder.letters, PLAN, "dense.weight", LABELS))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("does not depend on token ids");
        assertThat(classifier.predict(List.of())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"4, 64", "1, 64", "4, -1", "-1, 64"})
    void a_model_of_a_fixed_shape_gives_the_same_answers(int texts, int tokens) {
        List<String> given = texts(11);
        TinyEncoder fixed = new TinyEncoder(3, texts, tokens);
        try (ModelPool other = ModelPool.open(fixed.graph, Map.of(), PoolOptions.defaults())) {
            List<Classification> found = TextClassifier.of(other, fixed.letters, PLAN, TinyEncoder.LOGITS, LABELS)
                    .predict(given);
            List<Classification> expected = classifier.predict(given);
            for (int i = 0; i < given.size(); i++) {
                assertClose(found.get(i).probabilities(), expected.get(i).probabilities());
            }
            if (tokens > 0) {
                assertThatThrownBy(() -> TextClassifier.of(
                                other, fixed.letters, PredictionPlan.upTo(65), TinyEncoder.LOGITS, LABELS))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("takes 64 tokens");
            }
        }
    }

    @Test
    void long_texts_are_cut() {
        String text = "abc".repeat(100);
        assertClose(
                classifier.predict(text).probabilities(),
                classifier.predict(text.substring(0, 64)).probabilities());
    }

    @ParameterizedTest
    @EnumSource(
            value = Pooling.class,
            names = {"MEAN", "FIRST", "LAST"})
    void vectors_are_pooled_over_the_tokens_of_the_text_alone_and_have_length_one(Pooling pooling) {
        TextEmbedder embedder = TextEmbedder.of(pool, encoder.letters, PLAN, TinyEncoder.FEATURES)
                .withPooling(pooling);
        List<String> texts = texts(20);
        List<float[]> found = embedder.predict(texts);
        List<float[]> raw = embedder.withoutNormalization().predict(texts);
        for (int i = 0; i < texts.size(); i++) {
            INDArray features = encoder.output(encoder.graph, texts.get(i), TinyEncoder.FEATURES);
            INDArray expected = switch (pooling) {
                case FIRST -> features.getRow(0);
                case LAST -> features.getRow(features.rows() - 1);
                default -> features.mean(0);
            };
            double norm = expected.norm2Number().doubleValue();
            assertClose(doubles(raw.get(i)), numbers(expected));
            assertClose(doubles(found.get(i)), numbers(expected.div(norm)));
        }
    }

    private static double[] doubles(float... values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    @Test
    void vectors_of_a_model_that_pools_itself_and_numbers_are_its_output() {
        String text = "numbers";
        double[] expected = numbers(encoder.output(encoder.graph, text, TinyEncoder.LOGITS));
        assertClose(
                TextRegressor.of(pool, encoder.letters, PLAN, TinyEncoder.LOGITS)
                        .predict(text),
                expected);
        assertClose(
                doubles(TextEmbedder.of(pool, encoder.letters, PLAN, TinyEncoder.LOGITS)
                        .withoutNormalization()
                        .predict(text)),
                expected);
        assertThatThrownBy(() -> TextEmbedder.of(pool, encoder.letters, PLAN, TinyEncoder.FEATURES)
                        .withPooling(Pooling.EACH))
                .isInstanceOf(InvalidInputException.class);
    }

    @Test
    void a_damaged_model_says_so() {
        SameDiff damaged = SharingCopy.of(encoder.graph);
        damaged.getVariable("classifier.bias").setArray(Nd4j.createFromArray(0, Float.NaN, 0));
        try (ModelPool other = ModelPool.open(damaged, Map.of(), PoolOptions.defaults())) {
            assertThatThrownBy(() -> TextClassifier.of(other, encoder.letters, PLAN, TinyEncoder.LOGITS, LABELS)
                            .predict("a"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("NaN")
                    .hasMessageContaining("damaged");
        }
    }
}
