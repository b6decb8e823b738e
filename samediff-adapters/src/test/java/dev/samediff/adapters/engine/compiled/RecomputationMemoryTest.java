package dev.samediff.adapters.engine.compiled;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What recomputation saves in a network as large as GPT-2 small: plans are compiled, nothing is computed. */
class RecomputationMemoryTest {
    private static final int WIDTH = 768;
    private static final int LAYERS = 12;
    private static final int LENGTH = 512;

    @Test
    void activations_of_twelve_layers_take_less_than_half() {
        TinyGpt gpt = TinyGpt.ofZeros(WIDTH, LAYERS, 12, 64, 16);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(1, LENGTH, 1);
        long keeping = arena(gpt, loss, batch, EngineOptions.defaults());
        long recomputing = arena(gpt, loss, batch, EngineOptions.defaults().withRecomputation(true));
        System.out.printf(
                Locale.ROOT,
                "d=%d L=%d T=%d B=1, intermediate results: %.0f MB kept, %.0f MB with recomputation, ratio %.2f%n",
                WIDTH,
                LAYERS,
                LENGTH,
                keeping / 1e6,
                recomputing / 1e6,
                (double) recomputing / keeping);
        assertThat(recomputing).isLessThan(keeping / 2);
    }

    private static long arena(TinyGpt gpt, TaskLoss loss, Map<String, INDArray> batch, EngineOptions options) {
        try (Target target = Targets.open(options);
                FrozenWeights weights = new FrozenWeights(gpt.graph, target);
                CompiledStep step = CompiledStep.compile(
                        gpt.graph,
                        List.of(loss.loss()),
                        gpt.trainables,
                        batch,
                        options,
                        weights,
                        new LinkedHashMap<>())) {
            return step.plan().arenaBytes();
        }
    }
}
