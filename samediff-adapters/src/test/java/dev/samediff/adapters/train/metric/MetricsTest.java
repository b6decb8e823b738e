package dev.samediff.adapters.train.metric;

import static dev.samediff.adapters.testing.JsonArrays.array;
import static dev.samediff.adapters.testing.JsonArrays.ints;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.JsonArrays;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.evaluation.classification.ROCMultiClass;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Metrics are those of scikit-learn, scipy and seqeval. Expected numbers: src/test/python/metrics.py. */
class MetricsTest {
    private static final JsonNode CASES = JsonArrays.tree("/train/metrics.json");
    private static final List<String> TAGS = List.of("O", "B-PER", "I-PER", "B-LOC", "I-LOC");

    private static double value(Metric metric, INDArray outputs, INDArray labels, INDArray weights) {
        Metric.Accumulator pass = metric.start();
        pass.add(new Metric.Batch(List.of(outputs), List.of(labels), weights));
        return pass.value(2);
    }

    @Test
    void metrics_of_classes_are_those_of_scikit_learn_in_one_batch_or_many() {
        for (JsonNode json : CASES.get("classes")) {
            INDArray scores = array(json.get("scores"));
            INDArray labels = Nd4j.createFromArray(ints(json.get("labels")));
            INDArray weights = array(json.get("weights"));
            List<Metric> metrics =
                    List.of(Metrics.accuracy("z"), Metrics.macroF1("z"), Metrics.auc("z"), Metrics.microF1("z"));
            for (Metric metric : metrics) {
                String name = metric.name().equals("f1_micro") ? "accuracy" : metric.name();
                double expected = json.get("expected").get(name).asDouble();
                assertThat(value(metric, scores, labels, weights))
                        .as(metric.name())
                        .isCloseTo(expected, within(1e-6));
                Metric.Accumulator pass = metric.start();
                for (int i = 0; i < labels.length(); i++) {
                    pass.add(new Metric.Batch(
                            List.of(scores.getRow(i, true)),
                            List.of(Nd4j.createFromArray(labels.getInt(i))),
                            Nd4j.createFromArray(weights.getFloat(i))));
                }
                assertThat(pass.value(0)).as(metric.name()).isCloseTo(expected, within(1e-6));
                assertThat(metric.isHigherBetter()).isTrue();
            }
        }
    }

    /** How often an item of the class scores above one of another, half of the ties. */
    private static double area(double[][] scores, int[] labels, int c) {
        double[] probabilities = Arrays.stream(scores)
                .mapToDouble(row -> 1
                        / Arrays.stream(row)
                                .map(score -> Math.exp(score - row[c]))
                                .sum())
                .toArray();
        double above = 0;
        int pairs = 0;
        for (int own = 0; own < labels.length; own++) {
            for (int other = 0; other < labels.length; other++) {
                if (labels[own] == c && labels[other] != c) {
                    double difference = probabilities[own] - probabilities[other];
                    above += Math.abs(difference) < 1e-7 ? 0.5 : difference > 0 ? 1 : 0;
                    pairs++;
                }
            }
        }
        return above / pairs;
    }

    @ParameterizedTest
    @CsvSource({"2,1", "2,2", "2,1000", "3,1", "3,2", "3,1000", "7,3", "7,1000"})
    void the_area_under_the_curve_counts_pairs_and_is_that_of_dl4j_where_no_scores_are_equal(int classes, int values) {
        int items = 60;
        Random random = new Random(classes);
        INDArray scores = Nd4j.create(DataType.DOUBLE, items, classes);
        INDArray oneHot = Nd4j.zeros(DataType.DOUBLE, items, classes);
        int[] labels = new int[items];
        for (int i = 0; i < items; i++) {
            labels[i] = i % classes;
            oneHot.putScalar(i, labels[i], 1);
            for (int c = 0; c < classes; c++) {
                double score = values == 1000 ? random.nextGaussian() : random.nextInt(values);
                scores.putScalar(i, c, score + (c == labels[i] ? 0.25 * random.nextInt(3) : 0));
            }
        }
        double[][] rows = scores.toDoubleMatrix();
        double expected = classes == 2
                ? area(rows, labels, 1)
                : IntStream.range(0, classes)
                        .mapToDouble(c -> area(rows, labels, c))
                        .average()
                        .orElseThrow();
        double found = value(Metrics.auc("z"), scores, Nd4j.createFromArray(labels), Nd4j.ones(items));
        assertThat(found).isCloseTo(expected, within(1e-12));
        if (values == 1000) {
            ROCMultiClass dl4j = new ROCMultiClass(0);
            dl4j.eval(oneHot, Transforms.softmax(scores, true));
            assertThat(found).isCloseTo(classes == 2 ? dl4j.calculateAUC(1) : dl4j.calculateAverageAUC(), within(1e-6));
        }
    }

    @Test
    void a_pair_is_preferred_if_the_chosen_answer_gained_more_than_the_rejected_one() {
        INDArray scores = Nd4j.createFromArray(-1f, -5f, -2f, -4f, -6f, -2f); // chosen, then rejected
        INDArray labels = Nd4j.zeros(6, 2);
        Metric metric = Metrics.preferenceAccuracy("p");
        assertThat(value(metric, scores, labels, Nd4j.ones(3))).isEqualTo(2 / 3.0, within(1e-12)); // equal: not
        Metric.Accumulator pass = metric.start();
        INDArray reference = Nd4j.createFromArray(-1f, -9f, -2f, -9f, -6f, -3f);
        pass.add(new Metric.Batch(List.of(scores), List.of(labels, reference), Nd4j.createFromArray(1f, 1f, 0f)));
        assertThat(pass.value(0)).isEqualTo(0.5, within(1e-12));
        assertThat(metric.start().value(0)).isNaN();
    }

    @Test
    void metrics_of_numbers_are_those_of_scipy() {
        JsonNode json = CASES.get("numbers");
        INDArray predictions = array(json.get("predictions")).reshape(50, 1);
        INDArray labels = array(json.get("labels")).reshape(50, 1);
        for (Metric metric : List.of(Metrics.meanSquaredError("p"), Metrics.pearson("p"), Metrics.spearman("p"))) {
            assertThat(value(metric, predictions, labels, Nd4j.ones(50, 1)))
                    .as(metric.name())
                    .isCloseTo(json.get("expected").get(metric.name()).asDouble(), within(1e-6));
        }
        JsonNode pairs = CASES.get("pairs");
        assertThat(value(
                        Metrics.cosineSpearman("e"),
                        array(pairs.get("embeddings")),
                        array(pairs.get("labels")),
                        Nd4j.ones(20)))
                .isCloseTo(pairs.get("expected").asDouble(), within(1e-9));
    }

    /** Scores of tags: the tag's number is the only high one. */
    private static INDArray tagged(int[]... tags) {
        INDArray scores = Nd4j.zeros(DataType.FLOAT, tags.length, tags[0].length, TAGS.size());
        for (int row = 0; row < tags.length; row++) {
            for (int t = 0; t < tags[row].length; t++) {
                scores.putScalar(new long[] {row, t, tags[row][t]}, 1);
            }
        }
        return scores;
    }

    private static double entities(int[][] wanted, int[][] found) {
        return value(
                Metrics.entityF1("z", TAGS),
                tagged(found),
                Nd4j.createFromArray(wanted),
                Nd4j.ones(DataType.FLOAT, wanted.length, wanted[0].length));
    }

    /** Counted by hand with seqeval's get_entities. */
    @Test
    void an_entity_is_met_if_its_type_and_its_ends_are() {
        assertThat(entities(new int[][] {{1, 2, 0, 3}}, new int[][] {{1, 2, 0, 3}}))
                .isEqualTo(1);
        assertThat(entities(new int[][] {{1, 2, 0, 3}}, new int[][] {{1, 0, 0, 3}}))
                .isEqualTo(0.5); // one end is wrong
        assertThat(entities(new int[][] {{1, 2, 0, 3}}, new int[][] {{1, 2, 0, 1}}))
                .isEqualTo(0.5); // one type is wrong
        assertThat(entities(new int[][] {{1, 2, 0, 3}}, new int[][] {{2, 2, 0, 4}}))
                .isEqualTo(1); // I begins one, too
        assertThat(entities(new int[][] {{1, 2, 2, 0}}, new int[][] {{1, 2, 1, 0}}))
                .isZero(); // B begins another one
        assertThat(entities(new int[][] {{1, 4, 0, 0}}, new int[][] {{1, 3, 0, 0}}))
                .isEqualTo(1); // another type ends it
        assertThat(entities(new int[][] {{0, 1}, {2, 0}}, new int[][] {{0, 1}, {2, 0}}))
                .isEqualTo(1);
        assertThat(entities(new int[][] {{0, 1}, {2, 0}}, new int[][] {{0, 1}, {0, 0}}))
                .isCloseTo(2.0 / 3, within(1e-12)); // no entity goes on in another text
        assertThat(entities(new int[][] {{0, 0}}, new int[][] {{0, 0}})).isNaN();
        assertThatThrownBy(() -> Metrics.entityF1("z", List.of("O", "PER")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`PER` is not of the form IOB2");
    }

    @Test
    void pieces_of_words_and_padding_do_not_count() {
        INDArray weights = Nd4j.createFromArray(new float[][] {{1, 0, 1, 0}});
        INDArray labels = Nd4j.createFromArray(new int[][] {{1, -100, 2, -100}});
        INDArray scores = tagged(new int[] {1, 3, 2, 3});
        assertThat(value(Metrics.entityF1("z", TAGS), scores, labels, weights)).isEqualTo(1);
        assertThat(value(Metrics.accuracy("z"), scores, labels, weights)).isEqualTo(1);
        assertThat(value(Metrics.exactMatch("z"), scores, labels, weights)).isEqualTo(1);
        assertThat(value(Metrics.exactMatch("z"), tagged(new int[] {1, 3, 1, 3}), labels, weights))
                .isZero();
    }

    @Test
    void what_is_not_defined_is_no_number_and_what_does_not_fit_is_refused() {
        INDArray none = Nd4j.zeros(DataType.FLOAT, 2);
        INDArray scores = Nd4j.rand(DataType.FLOAT, 2, 3);
        INDArray labels = Nd4j.createFromArray(0, 1);
        for (Metric metric : List.of(Metrics.accuracy("z"), Metrics.macroF1("z"), Metrics.auc("z"))) {
            assertThat(value(metric, scores, labels, none)).as(metric.name()).isNaN();
            assertThatThrownBy(() -> value(metric, scores, Nd4j.createFromArray(0, 1, 2), none))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("[2, 3] and [3]");
        }
        assertThat(value(Metrics.auc("z"), scores, labels, none.add(1))).isNaN(); // a class is missing
        assertThat(value(Metrics.pearson("p"), Nd4j.ones(3), Nd4j.createFromArray(1f, 2f, 3f), Nd4j.ones(3)))
                .isNaN();
        assertThatThrownBy(() -> Metrics.accuracy("z").start().add(new Metric.Batch(List.of(scores), List.of(), none)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("the loss has none");
        assertThat(Metrics.perplexity().start().value(2)).isCloseTo(Math.exp(2), within(1e-12));
        assertThat(Metrics.perplexity().isHigherBetter()).isFalse();
    }
}
