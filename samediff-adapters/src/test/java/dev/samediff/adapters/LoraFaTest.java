package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.LoraFa;
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.EveryEngine;
import dev.samediff.adapters.testing.ToyGraph;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** LoRA with A as it starts: the gradients of B are LoRA's, A is a constant, everything else is a LoRA. */
class LoraFaTest {
    @TempDir
    Path dir;

    private static SameDiff graph() {
        return ToyGraph.create(DataType.FLOAT, 8, 12);
    }

    private static Map<String, INDArray> feeds() {
        Random random = new Random(3);
        return Map.of(
                "x", ToyGraph.random(random, DataType.FLOAT, 5, 8),
                "y", ToyGraph.random(random, DataType.FLOAT, 5, 8));
    }

    private static INDArray output(SameDiff graph) {
        return Objects.requireNonNull(graph.output(feeds(), "out").get("out")).dup();
    }

    private static void moveB(AdaptedModel model) {
        Map<String, INDArray> values = model.trainables();
        Random random = new Random(1);
        values.forEach((name, value) -> {
            if (name.contains("lora_B")) {
                value.addi(ToyGraph.random(random, DataType.FLOAT, value.shape()));
            }
        });
        model.restore(values);
    }

    @ParameterizedTest
    @EnumSource(
            value = EveryEngine.class,
            names = {"COMPILED", "REFERENCE"})
    void a_is_a_constant_and_the_gradients_of_b_are_those_of_lora(EveryEngine engine) {
        AdaptedModel lora =
                AdaptedModel.inject(graph(), AdapterConfig.of(Lora.rank(3).withAlpha(6)));
        AdaptedModel frozen = AdaptedModel.inject(
                graph(), AdapterConfig.of(new LoraFa(Lora.rank(3).withAlpha(6))));
        moveB(lora);
        moveB(frozen);
        assertThat(frozen.trainableNames()).hasSize(2).allMatch(name -> name.contains("lora_B"));
        assertThat(frozen.trainables()).containsOnlyKeys(frozen.trainableNames());
        assertThat(frozen.trainableParameters()).isEqualTo(3 * 12 + 3 * 8);
        assertThat(frozen.graph().variables().stream().filter(v -> v.name().contains("lora_A")))
                .hasSize(2)
                .allMatch(v -> v.getVariableType() == VariableType.CONSTANT);
        assertThatBits(output(frozen.graph())).isEqualTo(output(lora.graph()));
        try (Engine one = engine.open(lora.graph(), "loss", lora.trainableNames());
                Engine two = engine.open(frozen.graph(), "loss", frozen.trainableNames())) {
            Map<String, INDArray> expected = one.gradients(feeds()).byName();
            two.gradients(feeds())
                    .byName()
                    .forEach((name, gradient) -> assertThat(gradient.sub(expected.get(name))
                                    .amaxNumber()
                                    .doubleValue())
                            .as(name)
                            .isLessThan(1e-6));
        }
    }

    @Test
    void switching_adapters_leaves_a_a_constant() {
        SameDiff graph = graph();
        INDArray base = output(graph);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(LoraFa.rank(2)));
        model.add(AdapterConfig.of(Lora.rank(2)).withName("other"));
        model.activate("other");
        assertThat(model.trainableNames()).hasSize(4);
        model.activate("default", "other");
        assertThat(model.trainableNames()).hasSize(6);
        assertThat(graph.variables().stream()
                        .filter(v -> v.getVariableType() == VariableType.VARIABLE)
                        .map(v -> v.name()))
                .containsExactlyInAnyOrderElementsOf(model.trainableNames());
        model.remove("other");
        assertThat(model.trainableNames()).hasSize(2);
        assertThatBits(output(model.unload())).isEqualTo(base);
    }

    @Test
    void the_folder_holds_a_and_is_a_lora_for_peft() throws IOException {
        AdaptedModel model = AdaptedModel.inject(graph(), AdapterConfig.of(LoraFa.rank(3)));
        moveB(model);
        AdapterFolder.save(model.state(), dir.resolve("a"));
        AdapterFolder.saveAsLora(model.state(), dir.resolve("plain"));
        for (String folder : List.of("a", "plain")) {
            AdapterState state = AdapterFolder.load(dir.resolve(folder));
            assertThat(state.config().method().name()).isEqualTo(folder.equals("a") ? "lora_fa" : "lora");
            SameDiff graph = graph();
            AdaptedModel again = AdaptedModel.inject(graph, Map.of(), state);
            assertThatBits(output(graph)).isEqualTo(output(model.graph()));
            assertThat(again.trainableNames()).hasSize(folder.equals("a") ? 2 : 4);
        }
    }

    @Test
    void embeddings_whose_a_is_zero_are_refused() {
        assertThatThrownBy(() -> AdaptedModel.inject(
                        EmbeddingGraph.create(DataType.FLOAT),
                        AdapterConfig.of(LoraFa.rank(2)).withTargets(TargetSelector.suffixes("wte"))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("lora_fa");
    }
}
