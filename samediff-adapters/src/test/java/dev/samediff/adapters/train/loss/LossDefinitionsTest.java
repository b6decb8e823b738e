package dev.samediff.adapters.train.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.testing.EveryEngine;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Every loss of {@link Losses}, its masks and its gradient against their definitions in float64, in every engine. */
class LossDefinitionsTest {
    /** What an item costs. */
    private enum Cost {
        CROSS_ENTROPY,
        SMOOTHED,
        SQUARED,
        BINARY;

        /** Whether labels are numbers beside the scores. */
        boolean ofNumbers() {
            return this == SQUARED || this == BINARY;
        }
    }

    /** Share of a smoothed label that is spread. */
    private static final double SMOOTHING = 0.1;

    /** A loss: how many axes its labels have, what an item costs, and the method that adds it. */
    private record Loss(int axes, Cost cost, BiFunction<SameDiff, String, TaskLoss> method) {}

    /** The losses, by the method that adds them; what follows a blank tells overloads apart. */
    private static final Map<String, Loss> LOSSES = Map.of(
            "causalLm", new Loss(2, Cost.CROSS_ENTROPY, Losses::causalLm),
            "maskedLm", new Loss(2, Cost.CROSS_ENTROPY, Losses::maskedLm),
            "sequenceToSequence", new Loss(2, Cost.CROSS_ENTROPY, Losses::sequenceToSequence),
            "tokenClassification", new Loss(2, Cost.CROSS_ENTROPY, Losses::tokenClassification),
            "classification", new Loss(1, Cost.CROSS_ENTROPY, Losses::classification),
            "classification smoothed",
                    new Loss(1, Cost.SMOOTHED, (graph, logits) -> Losses.classification(graph, logits, SMOOTHING)),
            "regression", new Loss(2, Cost.SQUARED, Losses::regression),
            "multiLabel", new Loss(2, Cost.BINARY, Losses::multiLabel));

    /** Losses of items that have several rows each; {@code GroupTrainingTest} is about them. */
    private static final List<String> GROUPED =
            List.of("contrastive", "contrastive", "cosineSimilarity", "triplet", "dpo", "orpo");

    /** Losses that are looked at with every mask; the others have the same weighted mean. */
    private static final List<String> ALL_MASKS = List.of("causalLm", "classification");

    private static final List<String> SOME_MASKS = List.of("random with gaps", "none");

    /** Weights by the number of the item; the random ones are the same in every test. */
    private static Map<String, IntToDoubleFunction> masks() {
        double[] random = new Random(5).doubles(4096).toArray();
        Map<String, IntToDoubleFunction> masks = new LinkedHashMap<>();
        masks.put("all 1", i -> 1);
        masks.put("one in three", i -> i % 3 == 0 ? 1 : 0);
        masks.put("only the last", i -> i == 0 ? 1 : 0);
        masks.put("0.2", i -> 0.2);
        masks.put("0.12", i -> 0.12);
        masks.put("0.01 for one", i -> i == 2 ? 0.01 : 0);
        masks.put("1e-30", i -> 1e-30);
        masks.put("1e6", i -> 1e6);
        masks.put("far apart", i -> i % 2 == 0 ? 1e-3 : 1e3);
        masks.put("random", i -> random[i % random.length]);
        masks.put("random with gaps", i -> random[i % random.length] < 0.5 ? 0 : random[i % random.length]);
        masks.put("2 for some", i -> i % 4 == 0 ? 2 : 0.5);
        masks.put("none", i -> 0);
        return masks;
    }

    /** The scores, labels and weights of a case, and what they give in float64. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Case(INDArray scores, INDArray labels, INDArray mask, double loss, double[] gradient) {
        static Case of(Loss kind, int batch, int time, int classes, IntToDoubleFunction weights) {
            return kind.cost().ofNumbers()
                    ? numbers(kind.cost(), batch * time, classes, weights)
                    : classes(kind, batch, time, classes, weights);
        }

        /** Entries of a matrix, each with a number as its label. */
        private static Case numbers(Cost cost, int rows, int columns, IntToDoubleFunction weights) {
            Random random = new Random(31L * rows + columns);
            int items = rows * columns;
            double[] scores = random.doubles(items, -6, 6).toArray();
            scores[0] = 0; // where binary cross entropies have a corner if they are written carelessly
            float[] labels = new float[items];
            float[] mask = new float[items];
            double total = 0;
            for (int i = 0; i < items; i++) {
                mask[i] = (float) weights.applyAsDouble(i);
                labels[i] = cost == Cost.SQUARED ? (float) random.nextGaussian() : random.nextInt(2);
                scores[i] = (float) scores[i];
                total += mask[i];
            }
            double loss = 0;
            double[] gradient = new double[items];
            for (int i = 0; i < items && total > 0; i++) {
                double z = scores[i];
                double sigmoid = 1 / (1 + Math.exp(-z));
                double error = z - labels[i];
                loss += mask[i]
                        / total
                        * (cost == Cost.SQUARED ? error * error : -Math.log(labels[i] == 1 ? sigmoid : 1 - sigmoid));
                gradient[i] = mask[i] / total * (cost == Cost.SQUARED ? 2 * error : sigmoid - labels[i]);
            }
            return new Case(
                    Nd4j.createFromArray(scores).reshape(rows, columns),
                    Nd4j.createFromArray(labels).reshape(rows, columns),
                    Nd4j.createFromArray(mask).reshape(rows, columns),
                    loss,
                    gradient);
        }

        /** Rows of scores, each with a class as its label. */
        private static Case classes(Loss kind, int batch, int time, int classes, IntToDoubleFunction weights) {
            int axes = kind.axes();
            double smoothing = kind.cost() == Cost.SMOOTHED ? SMOOTHING : 0;
            Random random = new Random(31L * batch + time);
            int items = axes == 2 ? batch * time : batch;
            long[] shape = axes == 2 ? new long[] {batch, time} : new long[] {batch};
            double[] scores = random.doubles((long) items * classes, -6, 6).toArray();
            int[] labels = random.ints(items, 0, classes).toArray();
            float[] mask = new float[items];
            double total = 0;
            for (int i = 0; i < items; i++) {
                mask[i] = (float) weights.applyAsDouble(i);
                labels[i] = mask[i] == 0 ? -100 : labels[i];
                total += mask[i];
            }
            double loss = 0;
            double[] gradient = new double[scores.length];
            for (int i = 0; i < items; i++) {
                if (mask[i] == 0) {
                    continue;
                }
                double sum = 0;
                for (int c = 0; c < classes; c++) {
                    scores[i * classes + c] = (float) scores[i * classes + c];
                    sum += Math.exp(scores[i * classes + c]);
                }
                for (int c = 0; c < classes; c++) {
                    double target = (c == labels[i] ? 1 - smoothing : 0) + smoothing / classes;
                    loss += mask[i] / total * target * (Math.log(sum) - scores[i * classes + c]);
                    gradient[i * classes + c] = mask[i] / total * (Math.exp(scores[i * classes + c]) / sum - target);
                }
            }
            long[] all = Arrays.copyOf(shape, axes + 1);
            all[axes] = classes;
            return new Case(
                    Nd4j.createFromArray(scores).reshape(all),
                    Nd4j.createFromArray(labels).reshape(shape),
                    Nd4j.createFromArray(mask).reshape(shape),
                    loss,
                    gradient);
        }

        Map<String, INDArray> placeholders(TaskLoss task) {
            return Map.of(task.labels(), labels, task.mask(), mask);
        }
    }

    private static SameDiff graph(Case fed, DataType type) {
        SameDiff graph = SameDiff.create();
        graph.var("z", fed.scores().castTo(type)).mul(1).rename("logits");
        return graph;
    }

    private static void assertAgrees(String what, double loss, INDArray gradient, Case expected, double tolerance) {
        assertThat(loss).as(what).isCloseTo(expected.loss(), within(tolerance * Math.max(1, expected.loss())));
        double largest = Arrays.stream(expected.gradient()).map(Math::abs).max().orElse(0);
        double[] given = gradient.castTo(DataType.DOUBLE).dup('c').data().asDouble();
        for (int i = 0; i < given.length; i++) {
            assertThat(given[i])
                    .as("%s, gradient %d", what, i)
                    .isCloseTo(expected.gradient()[i], within(tolerance * largest));
        }
    }

    static Stream<Arguments> cases() {
        return LOSSES.keySet().stream()
                .flatMap(loss -> masks().keySet().stream()
                        .filter(mask -> ALL_MASKS.contains(loss) || SOME_MASKS.contains(mask))
                        .map(mask -> Arguments.of(loss, mask)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void every_engine_computes_the_definition(String name, String mask) {
        int[][] sizes = {{2, 3, 5}, {1, 1, 3}, {16, 8, 600}}; // 600 classes: rows of weight 0 are left out
        for (int[] size : ALL_MASKS.contains(name) ? sizes : Arrays.copyOf(sizes, 2)) {
            Case expected = Case.of(LOSSES.get(name), size[0], size[1], size[2], masks().get(mask));
            EveryEngine.all().forEach(kind -> {
                SameDiff graph = graph(expected, DataType.FLOAT);
                TaskLoss task = LOSSES.get(name).method().apply(graph, "logits");
                String what = kind + " " + Arrays.toString(size);
                try (Engine engine = kind.open(graph, task.loss(), List.of("z"))) {
                    for (int call = 0; call < 2; call++) {
                        Engine.Gradients given = engine.gradients(expected.placeholders(task));
                        assertAgrees(what, given.loss(), given.byName().get("z"), expected, 1e-5);
                    }
                    INDArray alone = engine.outputs(expected.placeholders(task), List.of(task.loss()))
                            .get(task.loss());
                    assertThat(alone.getDouble(0))
                            .as(what)
                            .isCloseTo(expected.loss(), within(1e-5 * Math.max(1, expected.loss())));
                }
            });
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void samediff_itself_computes_the_definition(String name, String mask) {
        Case expected = Case.of(LOSSES.get(name), 2, 3, 5, masks().get(mask));
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
            SameDiff graph = graph(expected, type);
            TaskLoss task = LOSSES.get(name).method().apply(graph, "logits");
            graph.setLossVariables(task.loss());
            Map<String, INDArray> fed = expected.placeholders(task);
            double loss = graph.output(fed, task.loss()).get(task.loss()).getDouble(0);
            assertAgrees(
                    type.toString(),
                    loss,
                    graph.calculateGradients(fed, "z").get("z"),
                    expected,
                    type == DataType.DOUBLE ? 1e-7 : 1e-5);
        }
    }

    /** The sum of 5000 float32 weights of 0.1 one after the other is 499.997. */
    @Test
    void many_weights_are_added_in_float64() {
        Case expected = Case.of(LOSSES.get("causalLm"), 50, 100, 3, i -> 0.1);
        SameDiff graph = graph(expected, DataType.DOUBLE);
        TaskLoss task = Losses.causalLm(graph, "logits");
        double loss = graph.output(expected.placeholders(task), task.loss())
                .get(task.loss())
                .getDouble(0);
        assertThat(loss).isCloseTo(expected.loss(), within(1e-12));
    }

    @Test
    void every_loss_is_in_this_table() {
        assertThat(Arrays.stream(Losses.class.getMethods())
                        .filter(method -> method.getReturnType() == TaskLoss.class)
                        .map(Method::getName))
                .containsExactlyInAnyOrderElementsOf(Stream.concat(
                                LOSSES.keySet().stream().map(name -> name.replaceFirst(" .*", "")), GROUPED.stream())
                        .toList());
    }

    @Test
    void masks_that_are_not_finite_give_no_finite_loss() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            Case fed = Case.of(LOSSES.get("classification"), 4, 1, 3, i -> 1);
            SameDiff graph = graph(fed, DataType.FLOAT);
            TaskLoss task = Losses.classification(graph, "logits");
            INDArray everywhere = Nd4j.valueArrayOf(new long[] {4}, bad, DataType.FLOAT);
            double loss = graph.output(Map.of(task.labels(), fed.labels(), task.mask(), everywhere), task.loss())
                    .get(task.loss())
                    .getDouble(0);
            assertThat(loss).isNaN();
        }
    }
}
