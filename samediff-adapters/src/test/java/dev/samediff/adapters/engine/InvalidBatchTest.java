package dev.samediff.adapters.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.testing.EveryEngine;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Batches that do not fit the graph, the loss or each other are refused by all engines in one sentence. */
class InvalidBatchTest {
    private static final int VOCABULARY = 11;

    private static TinyGpt gpt(int vocabulary) {
        return new TinyGpt(16, 1, 2, vocabulary, 3);
    }

    /** A batch, and what the sentence says. */
    private record Bad(Map<String, INDArray> batch, String... parts) {}

    private static void isRefused(EveryEngine kind, TinyGpt gpt, Map<String, INDArray> batch, String... parts) {
        areRefused(kind, gpt, List.of(new Bad(batch, parts)));
    }

    private static void areRefused(EveryEngine kind, TinyGpt gpt, List<Bad> all) {
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        try (Engine engine = kind.open(gpt.graph, loss.loss(), gpt.trainables)) {
            for (int call = 0; call < 3; call++) {
                if (call == 2) { // now there is a plan for batches of this shape
                    assertThat(engine.gradients(gpt.batch(2, 6, 1)).loss()).isPositive();
                    engine.outputs(gpt.batch(2, 6, 1), List.of(loss.loss()));
                }
                for (Bad bad : all) {
                    var refusal = assertThatThrownBy(() -> engine.gradients(bad.batch))
                            .isInstanceOf(InvalidInputException.class);
                    var alone = assertThatThrownBy(() -> engine.outputs(bad.batch, List.of(loss.loss())))
                            .isInstanceOf(InvalidInputException.class);
                    for (String part : bad.parts) {
                        refusal.hasMessageContaining(part);
                        alone.hasMessageContaining(part);
                    }
                }
            }
            assertThat(engine.gradients(gpt.batch(2, 6, 1)).loss()).isPositive();
        }
    }

    private static Map<String, INDArray> with(TinyGpt gpt, String name, INDArray value) {
        Map<String, INDArray> batch = new HashMap<>(gpt.batch(2, 6, 1));
        batch.put(name, value);
        return batch;
    }

    private static INDArray changed(INDArray array, double value) {
        INDArray copy = array.dup('c');
        copy.data().put(8, value);
        return copy;
    }

    @ParameterizedTest
    @EnumSource
    void labels_outside_of_the_classes(EveryEngine kind) {
        for (int vocabulary : new int[] {VOCABULARY, 600}) {
            TinyGpt gpt = gpt(vocabulary);
            List<Bad> all = new ArrayList<>();
            for (double bad : new double[] {-1, -100, vocabulary, 100_000, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
                Map<String, INDArray> batch = new HashMap<>(gpt.batch(2, 6, 1));
                batch.put("label_mask", changed(batch.get("label_mask"), 1e-30));
                batch.put("labels", changed(batch.get("labels"), bad));
                all.add(new Bad(
                        batch,
                        "the label at position [1, 2] of the placeholder `labels` is " + (long) bad,
                        "allowed is 0 to " + (vocabulary - 1)));
            }
            areRefused(kind, gpt, all);
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_label_whose_mask_is_0_may_be_anything(EveryEngine kind) {
        for (int vocabulary : new int[] {VOCABULARY, 600}) {
            TinyGpt gpt = gpt(vocabulary);
            TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
            Map<String, INDArray> batch = new HashMap<>(gpt.batch(2, 6, 1));
            batch.put("label_mask", changed(batch.get("label_mask"), 0));
            try (Engine engine = kind.open(gpt.graph, loss.loss(), gpt.trainables)) {
                double expected = engine.gradients(batch).loss();
                for (double any : new double[] {-100, -1, vocabulary, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
                    batch.put("labels", changed(batch.get("labels"), any));
                    assertThat(engine.gradients(batch).loss()).isEqualTo(expected);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void classes_outside_in_a_classification(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 3);
        graph.mmul("logits", x, graph.var("w", Nd4j.rand(DataType.FLOAT, 3, 4)));
        TaskLoss loss = Losses.classification(graph, "logits");
        Map<String, INDArray> batch = new HashMap<>(Map.of(
                "x", Nd4j.rand(DataType.FLOAT, 2, 3),
                "labels", Nd4j.createFromArray(0, 4),
                "label_mask", Nd4j.ones(DataType.FLOAT, 2)));
        try (Engine engine = kind.open(graph, loss.loss(), List.of("w"))) {
            assertThatThrownBy(() -> engine.gradients(batch))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining(
                            "the label at position [1] of the placeholder `labels` is 4, allowed is 0 to 3");
            batch.put("labels", Nd4j.createFromArray(0, 3));
            assertThat(engine.gradients(batch).loss()).isPositive();
        }
    }

    @Test
    void labels_of_another_shape_are_refused_before_anything_is_said_about_compiling() {
        TinyGpt gpt = gpt(VOCABULARY);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = with(gpt, "labels", Nd4j.ones(DataType.INT, 3, 6));
        try (CompiledEngine engine =
                new CompiledEngine(gpt.graph, loss.loss(), gpt.trainables, EngineOptions.defaults())) {
            assertThatThrownBy(() -> engine.gradients(batch))
                    .hasMessageContaining("`labels` is [3, 6], expected [2, 6]");
            assertThat(engine.fallback()).isEmpty();
        }
    }

    static Stream<Arguments> masks() {
        return EveryEngine.all()
                .flatMap(kind -> Stream.of(-1.0, -1e-20, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY)
                        .map(value -> Arguments.of(kind, value)));
    }

    @ParameterizedTest
    @MethodSource("masks")
    void masks_that_are_negative_or_not_finite(EveryEngine kind, double value) {
        TinyGpt gpt = gpt(VOCABULARY);
        INDArray mask = gpt.batch(2, 6, 1).get("label_mask");
        isRefused(kind, gpt, with(gpt, "label_mask", changed(mask, value)), "`label_mask`", "[1, 2]", "finite");
        gpt = gpt(VOCABULARY);
        isRefused(
                kind,
                gpt,
                with(gpt, "label_mask", Nd4j.valueArrayOf(new long[] {2, 6}, value, DataType.FLOAT)),
                "[0, 0]");
    }

    static Stream<Arguments> shapes() {
        long[][] labels = {{3, 4}, {2, 5}, {3, 6}, {1, 6}, {12, 1}, {6, 2}, {12}, {2, 6, 1}, {1}};
        return EveryEngine.all().flatMap(kind -> Stream.of(labels).map(shape -> Arguments.of(kind, shape)));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void labels_and_masks_of_other_shapes_than_the_ids(EveryEngine kind, long[] shape) {
        TinyGpt gpt = gpt(VOCABULARY);
        String shown = java.util.Arrays.toString(shape);
        Map<String, INDArray> labels = with(gpt, "labels", Nd4j.ones(DataType.INT, shape));
        Map<String, INDArray> mask = with(gpt, "label_mask", Nd4j.ones(DataType.FLOAT, shape));
        Map<String, INDArray> both = new HashMap<>(mask);
        both.put("labels", Nd4j.ones(DataType.INT, shape));
        areRefused(
                kind,
                gpt,
                List.of(
                        new Bad(labels, "`labels`", shown),
                        new Bad(mask, "`label_mask`", shown),
                        new Bad(both, "`label", shown)));
    }

    @ParameterizedTest
    @MethodSource("ranks")
    void ids_of_another_rank_than_declared(EveryEngine kind, long[] shape) {
        TinyGpt gpt = gpt(VOCABULARY);
        Map<String, INDArray> batch = with(gpt, "input_ids", Nd4j.ones(DataType.LONG, shape));
        isRefused(kind, gpt, batch, "`input_ids`", java.util.Arrays.toString(shape), "the graph declares [-1, -1]");
    }

    static Stream<Arguments> ranks() {
        return EveryEngine.all()
                .flatMap(kind -> Stream.of(new long[] {6}, new long[] {2, 6, 1}, new long[0])
                        .map(shape -> Arguments.of(kind, shape)));
    }

    @ParameterizedTest
    @EnumSource
    void a_size_that_the_graph_declares(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        graph.math.tanh("y", graph.placeHolder("x", DataType.FLOAT, -1, 3));
        try (Engine engine = kind.open(graph)) {
            assertThatThrownBy(() -> engine.outputs(Map.of("x", Nd4j.ones(DataType.FLOAT, 2, 4)), List.of("y")))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("the shape of the placeholder `x` is [2, 4], the graph declares [-1, 3]");
        }
    }

    static Stream<Arguments> numbers() {
        return EveryEngine.all()
                .flatMap(kind -> Stream.of("input_ids", "labels").map(name -> Arguments.of(kind, name)));
    }

    @ParameterizedTest
    @MethodSource("numbers")
    void numbers_that_are_not_whole(EveryEngine kind, String name) {
        TinyGpt gpt = gpt(VOCABULARY);
        List<Bad> all = new ArrayList<>();
        for (double value :
                new double[] {5.7, -0.5, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e20}) {
            for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
                INDArray floats = changed(gpt.batch(2, 6, 1).get(name).castTo(type), value);
                Map<String, INDArray> batch = with(gpt, name, floats);
                batch.put("label_mask", changed(batch.get("label_mask"), 0));
                all.add(new Bad(batch, "`" + name + "`", "[1, 2]", "whole number"));
            }
        }
        areRefused(kind, gpt, all);
    }

    @ParameterizedTest
    @EnumSource
    void whole_numbers_of_any_type_are_taken(EveryEngine kind) {
        TinyGpt gpt = gpt(VOCABULARY);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(2, 6, 1);
        try (Engine engine = kind.open(gpt.graph, loss.loss(), gpt.trainables)) {
            double expected = engine.gradients(batch).loss();
            for (DataType type : new DataType[] {
                DataType.FLOAT,
                DataType.DOUBLE,
                DataType.HALF,
                DataType.SHORT,
                DataType.BYTE,
                DataType.UBYTE,
                DataType.INT,
                DataType.LONG
            }) {
                Map<String, INDArray> other = new HashMap<>(batch);
                other.put("input_ids", batch.get("input_ids").castTo(type));
                other.put("labels", batch.get("labels").castTo(type));
                assertThat(engine.gradients(other).loss()).as("%s", type).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void labels_beyond_32_bits_do_not_become_others(EveryEngine kind) {
        TinyGpt gpt = gpt(VOCABULARY);
        INDArray labels = gpt.batch(2, 6, 1).get("labels").castTo(DataType.LONG);
        labels.data().put(8, (1L << 32) + 5);
        isRefused(kind, gpt, with(gpt, "labels", labels), "`labels`", "4294967301", "[1, 2]");
    }

    @ParameterizedTest
    @EnumSource
    void batches_without_texts_and_texts_without_tokens(EveryEngine kind) {
        for (long[] shape : new long[][] {{0, 6}, {2, 0}, {0, 0}}) {
            TinyGpt gpt = gpt(VOCABULARY);
            Map<String, INDArray> batch = with(gpt, "input_ids", Nd4j.create(DataType.LONG, shape));
            isRefused(kind, gpt, batch, "`input_ids` has no elements");
            batch.put("labels", Nd4j.create(DataType.INT, shape));
            batch.put("label_mask", Nd4j.create(DataType.FLOAT, shape));
            isRefused(kind, gpt(VOCABULARY), batch, "has no elements", java.util.Arrays.toString(shape));
        }
        TinyGpt gpt = gpt(VOCABULARY);
        isRefused(kind, gpt, with(gpt, "input_ids", Nd4j.empty(DataType.LONG)), "`input_ids`");
    }

    @ParameterizedTest
    @EnumSource
    void outputs_of_empty_placeholders(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 3);
        graph.math.tanh("elementwise", x);
        graph.mmul("product", x, graph.constant("w", Nd4j.rand(DataType.FLOAT, 3, 2)));
        graph.nn.softmax("softmax", x, 1);
        x.mean("mean");
        try (Engine engine = kind.open(graph)) {
            for (String output : List.of("elementwise", "product", "softmax", "mean")) {
                assertThatThrownBy(() ->
                                engine.outputs(Map.of("x", Nd4j.create(DataType.FLOAT, 0, 3)), List.of(output)))
                        .as(output)
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("`x` has no elements, its shape is [0, 3]");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void an_empty_past_is_no_empty_batch(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        SDVariable past = graph.placeHolder("past", DataType.FLOAT, -1, -1, 3);
        SDVariable keys = graph.placeHolder("keys", DataType.FLOAT, -1, -1, 3);
        SDVariable all = graph.concat("all", 1, past, keys);
        graph.nn.softmax("y", all, 2);
        INDArray now = Nd4j.rand(DataType.FLOAT, 2, 4, 3);
        try (Engine engine = kind.open(graph)) {
            Map<String, INDArray> inputs = Map.of("past", Nd4j.create(DataType.FLOAT, 2, 0, 3), "keys", now);
            Map<String, INDArray> outputs = engine.outputs(inputs, List.of("all", "y"));
            assertThat(outputs.get("all").toStringFull()).isEqualTo(now.toStringFull());
            assertThat(outputs.get("y").sumNumber().doubleValue())
                    .isCloseTo(8, org.assertj.core.api.Assertions.within(1e-5));
        }
    }

    @ParameterizedTest
    @EnumSource
    void placeholders_that_are_not_read_may_be_anything(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        graph.math.tanh("y", graph.placeHolder("x", DataType.FLOAT, -1, 3));
        graph.placeHolder("other", DataType.INT, -1);
        Map<String, INDArray> inputs =
                Map.of("x", Nd4j.ones(DataType.FLOAT, 1, 3), "other", Nd4j.create(DataType.FLOAT, 0, 2));
        try (Engine engine = kind.open(graph)) {
            assertThat(engine.outputs(inputs, List.of("y")).get("y").shape()).containsExactly(1, 3);
        }
    }

    @ParameterizedTest
    @EnumSource
    void arrays_that_are_closed_or_missing(EveryEngine kind) {
        TinyGpt gpt = gpt(VOCABULARY);
        INDArray closed = gpt.batch(2, 6, 1).get("input_ids").dup();
        closed.close();
        isRefused(kind, gpt, with(gpt, "input_ids", closed), "`input_ids` is closed");
        isRefused(kind, gpt(VOCABULARY), with(gpt, "labels", null), "no value was given for the placeholder `labels`");
    }

    @ParameterizedTest
    @EnumSource
    void a_loss_of_several_numbers(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 3);
        SDVariable squares = graph.math.square(x.mmul(graph.var("w", Nd4j.rand(DataType.FLOAT, 3, 2))));
        squares.mean("losses", 1);
        squares.mean(true, 0, 1).rename("one");
        Map<String, INDArray> inputs = Map.of("x", Nd4j.rand(DataType.FLOAT, 4, 3));
        try (Engine engine = kind.open(graph, "losses", List.of("w"))) {
            assertThatThrownBy(() -> engine.gradients(inputs))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("the loss `losses` must be a scalar, its shape is [4]");
        }
        try (Engine engine = kind.open(graph, "one", List.of("w"))) {
            assertThat(engine.gradients(inputs).loss()).isPositive();
        }
    }
}
