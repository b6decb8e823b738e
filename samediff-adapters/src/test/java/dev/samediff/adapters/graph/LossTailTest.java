package dev.samediff.adapters.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.testing.EveryEngine;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.loss.LossReduce;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * SameDiff's losses ignore the gradient of what comes after them: {@link GraphAudit} accepts what comes after one exactly where
 * the gradient agrees with finite differences in float64, or refuses it.
 */
class LossTailTest {
    private static final int ROWS = 4;
    private static final int CLASSES = 3;
    private static final Random RANDOM = new Random(3);
    private static final INDArray SCORES = normal(ROWS, CLASSES);
    private static final INDArray ONE_HOT =
            Nd4j.eye(CLASSES).castTo(DataType.DOUBLE).get(org.nd4j.linalg.indexing.NDArrayIndex.indices(0, 2, 1, 1));

    private static INDArray normal(int rows, int columns) {
        return Nd4j.createFromArray(RANDOM.doubles((long) rows * columns, -2, 2).toArray())
                .reshape(rows, columns);
    }

    /** A loss of SameDiff on logits [4,3]. */
    private static Map<String, UnaryOperator<SDVariable>> losses() {
        Map<String, UnaryOperator<SDVariable>> losses = new LinkedHashMap<>();
        for (LossReduce reduce : LossReduce.values()) {
            losses.put(
                    "softmaxCrossEntropy " + reduce,
                    z -> graph(z).loss
                            .softmaxCrossEntropy(
                                    "ce", labels(z), z, reduce == LossReduce.NONE ? null : weights(z), reduce, 0.1));
            losses.put(
                    "sigmoidCrossEntropy " + reduce,
                    z -> graph(z).loss.sigmoidCrossEntropy("ce", labels(z), z, null, reduce, 0));
            losses.put(
                    "meanSquaredError " + reduce,
                    z -> graph(z).loss.meanSquaredError("ce", labels(z), z, null, reduce));
        }
        losses.put(
                "sparseSoftmaxCrossEntropy",
                z -> graph(z).loss
                        .sparseSoftmaxCrossEntropy("ce", z, graph(z).constant(Nd4j.createFromArray(0, 2, 1, 1))));
        return losses;
    }

    /** What comes after it. */
    private static Map<String, UnaryOperator<SDVariable>> tails() {
        Map<String, UnaryOperator<SDVariable>> tails = new LinkedHashMap<>();
        tails.put("nothing", loss -> loss);
        tails.put("sum", loss -> loss.sum("out"));
        tails.put("mean", loss -> loss.mean("out"));
        tails.put("+ 1", loss -> loss.add("out", 1.0));
        tails.put(
                "+ scalar", loss -> loss.add("out", graph(loss).getVariable("z").sum()));
        tails.put(
                "+ vector, summed",
                loss -> loss.add(graph(loss).getVariable("z").sum(1)).sum("out"));
        tails.put(
                "+ vector, mean",
                loss -> loss.add(graph(loss).getVariable("z").sum(1)).mean("out"));
        tails.put("reshaped, summed", loss -> loss.reshape(-1).sum("out"));
        tails.put("* 2", loss -> loss.mul("out", 2.0));
        tails.put("squared", loss -> graph(loss).math.square("out", loss));
        return tails;
    }

    private static SameDiff graph(SDVariable variable) {
        return variable.getSameDiff();
    }

    private static SDVariable labels(SDVariable z) {
        return graph(z).constant(ONE_HOT.castTo(z.dataType()));
    }

    private static SDVariable weights(SDVariable z) {
        return graph(z).constant(Nd4j.createFromArray(1.0, 0.5, 2.0, 1.0).castTo(z.dataType()));
    }

    static Stream<Arguments> cases() {
        return losses().keySet().stream()
                .flatMap(loss -> tails().keySet().stream()
                        .filter(tail -> !loss.endsWith("NONE") && !loss.startsWith("sparse") || !tail.startsWith("+ "))
                        .map(tail -> Arguments.of(loss, tail)));
    }

    private static SameDiff build(String loss, String tail) {
        return build(loss, tail, DataType.DOUBLE);
    }

    private static SameDiff build(String loss, String tail, DataType type) {
        SameDiff graph = SameDiff.create();
        SDVariable z = graph.var("z", SCORES.castTo(type).dup()).mul(1).rename("logits");
        SDVariable out = tails().get(tail).apply(losses().get(loss).apply(z));
        graph.setLossVariables(out.name());
        return graph;
    }

    private static double value(SameDiff graph, String loss) {
        return graph.output(Map.of(), loss).get(loss).sumNumber().doubleValue();
    }

    private static double error(SameDiff graph, String loss) {
        INDArray given = graph.calculateGradients(Map.of(), "z").get("z").dup();
        INDArray z = graph.getVariable("z").getArr();
        double step = 1e-5;
        double largest = 0;
        for (int i = 0; i < z.length(); i++) {
            double before = z.getDouble(i);
            z.putScalar(i, before + step);
            double up = value(graph, loss);
            z.putScalar(i, before - step);
            double down = value(graph, loss);
            z.putScalar(i, before);
            largest = Math.max(largest, Math.abs((up - down) / (2 * step) - given.getDouble(i)));
        }
        return largest;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void what_is_accepted_is_right(String loss, String tail) {
        SameDiff graph = build(loss, tail);
        String out = graph.getLossVariables().get(0);
        boolean accepted = GraphAudit.check(graph, List.of(out), List.of("z")).isEmpty();
        double error = error(graph, out);
        boolean wrong = error > 1e-7;
        if (accepted) {
            assertThat(wrong).as("%s", error).isFalse();
        } else if (!tail.startsWith("+ vector")) { // there a factor may happen to be 1
            assertThat(wrong).as("%s", error).isTrue();
        }
    }

    static Stream<Arguments> everyday() {
        return Stream.of(
                Arguments.of("softmaxCrossEntropy MEAN_BY_NONZERO_WEIGHT_COUNT", "nothing"),
                Arguments.of("softmaxCrossEntropy MEAN_BY_NONZERO_WEIGHT_COUNT", "mean"),
                Arguments.of("softmaxCrossEntropy MEAN_BY_NONZERO_WEIGHT_COUNT", "+ scalar"),
                Arguments.of("softmaxCrossEntropy SUM", "sum"),
                Arguments.of("softmaxCrossEntropy NONE", "sum"),
                Arguments.of("sparseSoftmaxCrossEntropy", "nothing"),
                Arguments.of("sparseSoftmaxCrossEntropy", "sum"),
                Arguments.of("sparseSoftmaxCrossEntropy", "reshaped, summed"));
    }

    @ParameterizedTest
    @MethodSource("everyday")
    void what_users_of_samediff_write_is_accepted(String loss, String tail) {
        SameDiff graph = build(loss, tail);
        GraphAudit.requireSafe(graph, graph.getLossVariables(), List.of("z"));
    }

    @ParameterizedTest
    @MethodSource("everyday")
    void engines_compute_the_gradients_of_what_is_accepted(String loss, String tail) {
        SameDiff graph = build(loss, tail, DataType.FLOAT);
        String out = graph.getLossVariables().get(0);
        INDArray expected = graph.calculateGradients(Map.of(), "z").get("z").dup();
        boolean oneNumber = graph.output(Map.of(), out).get(out).length() == 1;
        EveryEngine.all().forEach(kind -> {
            try (Engine engine = kind.open(graph, out, List.of("z"))) {
                if (oneNumber) {
                    INDArray given = engine.gradients(Map.of()).byName().get("z");
                    assertThat(given.sub(expected).amaxNumber().doubleValue())
                            .as("%s", kind)
                            .isLessThan(1e-5);
                } else {
                    assertThatThrownBy(() -> engine.gradients(Map.of()))
                            .isInstanceOf(InvalidInputException.class)
                            .hasMessageContaining("must be a scalar");
                }
            }
        });
    }

    @Test
    void a_refusal_says_what_to_do() {
        SameDiff graph = build("sparseSoftmaxCrossEntropy", "mean");
        assertThatThrownBy(() -> GraphAudit.requireSafe(graph, List.of("out"), List.of("z")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll(
                        "ignores what comes after it", "Let its result be the loss", "Losses", "setLossVariables");
    }

    @Test
    void a_loss_that_is_also_scaled_for_another_loss_is_refused() {
        SameDiff graph = build("softmaxCrossEntropy SUM", "* 2");
        assertThat(GraphAudit.check(graph, List.of("ce", "out"), List.of("z"))).hasSize(1);
        assertThat(GraphAudit.check(graph, List.of("ce"), List.of("z"))).isEmpty();
    }
}
