package dev.samediff.adapters.serving;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.method.Lora;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A small decoder and adapters for it, for tests of the pool. */
final class ServedGpt {
    static final String LOGITS = "logits";

    final TinyGpt gpt = new TinyGpt(32, 2, 2, 29, 0);

    ModelPool open(PoolOptions options) {
        return ModelPool.open(gpt.graph, Map.of(), options);
    }

    /** An adapter that looks trained: every number of it is moved. */
    AdapterState trained(AdapterConfig config, long seed) {
        AdaptedModel model = AdaptedModel.inject(SharingCopy.of(gpt.graph), config);
        Random random = new Random(seed);
        Map<String, INDArray> moved = new HashMap<>();
        model.trainables().forEach((name, array) -> {
            for (long i = 0; i < array.length(); i++) {
                array.putScalar(i, array.getFloat(i) + 0.1 * random.nextGaussian());
            }
            moved.put(name, array);
        });
        model.restore(moved);
        return model.state();
    }

    AdapterState lora(long seed) {
        return trained(AdapterConfig.of(Lora.rank(4)), seed);
    }

    INDArray expected(AdapterState state, Map<String, INDArray> inputs) {
        AdaptedModel model = AdaptedModel.inject(SharingCopy.of(gpt.graph), Map.of(), state);
        try (Engine engine = Engines.forOutputs(model.graph(), EngineOptions.reference())) {
            return engine.outputs(inputs, List.of(LOGITS)).get(LOGITS);
        }
    }

    static INDArray answer(ModelPool pool, String adapter, Map<String, INDArray> inputs) {
        return pool.outputs(adapter, inputs, List.of(LOGITS)).get(LOGITS);
    }

    static INDArray answer(ModelPool pool, Map<String, INDArray> inputs) {
        return pool.outputs(inputs, List.of(LOGITS)).get(LOGITS);
    }

    static void assertClose(INDArray actual, INDArray expected, double tolerance) {
        double largest = expected.amaxNumber().doubleValue();
        assertThat(actual.shape()).containsExactly(expected.shape());
        assertThat(actual.sub(expected).amaxNumber().doubleValue()).isLessThan(tolerance * largest);
    }
}
