package dev.samediff.adapters.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.testing.ForkedJvm;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.Trainable;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What this process's backend must share with the CPU's, for every method. The CPU's side is computed in a process of its
 * own; adapters travel as files in both directions.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class BackendContract {
    private static final double FORWARD = 1e-4;
    private static final double BACKWARD = 1e-3;
    private static final double TRAINED = 1e-2;
    private static final double HALF = 2e-2;

    private Path folder = Path.of("");
    private final Map<String, Map<String, INDArray>> here = new HashMap<>();

    static List<String> methods() {
        return AdapterMethods.names();
    }

    @BeforeAll
    void compute(@TempDir Path shared) throws IOException, InterruptedException {
        folder = shared;
        new ForkedJvm().run(BackendRun.class, "start", folder.toString());
        for (String method : methods()) {
            Path files = folder.resolve(method);
            here.put(method, BackendRun.run(BackendRun.start(files), BackendRun.otherTrained(files)));
        }
        new ForkedJvm().run(BackendRun.class, "reload", folder.toString());
    }

    private Map<String, INDArray> cpu(String method) throws IOException {
        return Safetensors.read(BackendRun.results(folder.resolve(method))).tensors();
    }

    private Map<String, INDArray> here(String method) {
        return here.getOrDefault(method, Map.of());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void forward_is_that_of_the_cpu(String method) throws IOException {
        assertClose(BackendRun.LOGITS, here(method), cpu(method), FORWARD);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void gradients_are_those_of_the_cpu(String method) throws IOException {
        Map<String, INDArray> expected = cpu(method);
        List<String> gradients = expected.keySet().stream()
                .filter(name -> name.startsWith(BackendRun.GRADIENT))
                .toList();
        assertThat(gradients).hasSizeGreaterThanOrEqualTo(5);
        for (String gradient : gradients) {
            assertClose(gradient, here(method), expected, BACKWARD);
        }
    }

    @ParameterizedTest
    @MethodSource("methods")
    void twenty_training_steps_are_those_of_the_cpu(String method) throws IOException {
        INDArray losses = Npz.get(here(method), BackendRun.LOSSES);
        assertThat(losses.length()).isEqualTo(BackendRun.STEPS);
        assertThat(losses.getDouble(BackendRun.STEPS - 1)).isLessThan(losses.getDouble(0));
        assertClose(BackendRun.LOSSES, here(method), cpu(method), BACKWARD);
        assertClose(BackendRun.TRAINED_LOGITS, here(method), cpu(method), TRAINED);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void an_adapter_saved_here_computes_the_same_on_the_cpu(String method) throws IOException {
        Map<String, INDArray> reloaded =
                Safetensors.read(BackendRun.reloaded(folder.resolve(method))).tensors();
        assertClose(BackendRun.TRAINED_LOGITS, here(method), reloaded, FORWARD);
    }

    @Test
    void forward_in_half_precision_is_close_to_float() {
        Map<String, INDArray> inputs = new TinyGpt(16, 1, 2, 11, 3).inputs(2, 6, 1);
        INDArray single = logits(DataType.FLOAT, inputs);
        INDArray half = logits(DataType.HALF, inputs);
        assertThat(half.dataType()).isEqualTo(DataType.HALF);
        assertClose("logits", Map.of("logits", half.castTo(DataType.FLOAT)), Map.of("logits", single), HALF);
    }

    private static INDArray logits(DataType type, Map<String, INDArray> inputs) {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3, type, false);
        try (Engine engine = new ReferenceEngine(gpt.graph, gpt.logits, List.of())) {
            return Npz.get(engine.outputs(inputs, List.of(gpt.logits)), gpt.logits)
                    .dup('c');
        }
    }

    @Test
    void adam_in_half_precision_is_refused() {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3, DataType.HALF, false);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        TrainingPlan plan = TrainingPlan.builder().steps(1).build();
        Binding binding = Binding.of(loss, "input_ids", "causal");
        assertThatThrownBy(() -> {
                    try (AdapterTrainer trainer =
                            new AdapterTrainer(Trainable.of(gpt.graph, gpt.trainables), loss, plan, binding)) {
                        trainer.fit(BackendRun.data(gpt.batch(1, 6, 7)), null);
                    }
                })
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("FLOAT")
                .hasMessageContaining("HALF");
    }

    private static void assertClose(
            String name, Map<String, INDArray> actual, Map<String, INDArray> expected, double tolerance) {
        INDArray there = Npz.get(expected, name);
        double largest = there.amaxNumber().doubleValue();
        double difference = Npz.get(actual, name).sub(there).amaxNumber().doubleValue();
        assertThat(difference).as(name + ", largest value " + largest).isLessThanOrEqualTo(tolerance * largest);
    }
}
