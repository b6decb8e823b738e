package dev.samediff.adapters.engine.compiled;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Pissa;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Adapters that reach what is added to the scores of attention learn, on both sides of the size from which on it is fused. */
class TrainedScoresTest {
    private static final int WIDTH = 16;
    private static final int HEADS = 2;

    private final Random random = new Random(5);

    private INDArray normal(double scale, long... shape) {
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, scale * random.nextGaussian());
        }
        return array;
    }

    private SDVariable linear(SameDiff sd, SDVariable x, String name) {
        return sd.mmul(x, sd.constant(name + ".weight", normal(0.4, WIDTH, WIDTH)));
    }

    private static SDVariable heads(SameDiff sd, SDVariable x, int length) {
        return sd.permute(sd.reshape(x, 1, length, HEADS, WIDTH / HEADS), 0, 2, 1, 3);
    }

    private void attend(SameDiff sd, SDVariable x, SDVariable q, SDVariable bias, int length) {
        SDVariable k = heads(sd, linear(sd, x, "k"), length);
        SDVariable v = heads(sd, linear(sd, x, "v"), length);
        SDVariable scores = sd.mmul(q, k, false, true, false).mul(0.35).add(bias);
        SDVariable y = sd.mmul(sd.nn.softmax(scores, 3), v);
        y.mul(y).mean("loss");
    }

    /** T5: a table of biases by relative position. */
    private SameDiff relativeBias(int length) {
        SameDiff sd = SameDiff.create();
        SDVariable x = sd.placeHolder("x", DataType.FLOAT, length, WIDTH);
        SDVariable q = heads(sd, linear(sd, x, "q"), length);
        SDVariable table = sd.constant("relative_attention_bias.weight", normal(0.7, 32, HEADS));
        int[] buckets = new int[length * length];
        for (int i = 0; i < buckets.length; i++) {
            buckets[i] = Math.min(31, Math.abs(i / length - i % length));
        }
        SDVariable ids = sd.constant("buckets", Nd4j.createFromArray(buckets).reshape(length, length));
        SDVariable bias = sd.expandDims(sd.permute(sd.gather(table, ids, 0), 2, 0, 1), 0);
        attend(sd, x, q, bias, length);
        return sd;
    }

    /** DeBERTa, Transformer-XL, SAM: queries times positions. */
    private SameDiff queriesTimesPositions(int length) {
        SameDiff sd = SameDiff.create();
        SDVariable x = sd.placeHolder("x", DataType.FLOAT, length, WIDTH);
        SDVariable q = heads(sd, linear(sd, x, "q"), length);
        SDVariable places = sd.constant("places", normal(0.5, 1, HEADS, WIDTH / HEADS, length));
        attend(sd, x, q, sd.mmul(q, places), length);
        return sd;
    }

    private void compare(SameDiff sd, TargetSelector targets, int length) {
        AdaptedModel model =
                AdaptedModel.inject(sd, AdapterConfig.of(Pissa.rank(2)).withTargets(targets));
        Map<String, INDArray> inputs = Map.of("x", normal(1, length, WIDTH));
        try (CompiledEngine compiled =
                        new CompiledEngine(sd, "loss", model.trainableNames(), EngineOptions.defaults());
                ReferenceEngine reference = new ReferenceEngine(sd, "loss", model.trainableNames())) {
            Engine.Gradients actual = compiled.gradients(inputs);
            Engine.Gradients expected = reference.gradients(inputs);
            assertThat(compiled.fallback()).isEmpty();
            assertThat(actual.loss()).isCloseTo(expected.loss(), within(1e-5 * expected.loss()));
            expected.byName().forEach((name, gradient) -> {
                double norm = gradient.norm2Number().doubleValue();
                assertThat(norm).as("norm of the gradient by " + name).isPositive();
                assertThat(actual.byName().get(name).distance2(gradient))
                        .as(name)
                        .isLessThan(1e-3 * norm);
            });
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 255, 256, 300})
    void a_table_of_position_biases_learns(int length) {
        compare(relativeBias(length), TargetSelector.suffixes("q", "relative_attention_bias"), length);
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 255, 256, 300})
    void queries_that_are_multiplied_by_positions_get_their_whole_gradient(int length) {
        compare(queriesTimesPositions(length), TargetSelector.suffixes("q"), length);
    }
}
