package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.LoraFa;
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.EveryEngine;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.testing.SharedFiles;
import dev.samediff.adapters.testing.ToyGraph;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Batches;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
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
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.ops.transforms.Transforms;

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

    /** PEFT's own optimizer of that name: 20 steps from its start (its epsilon is 1e-6 and inside of the bias correction). */
    @Test
    void the_correction_is_pefts() throws IOException {
        Path root = SharedFiles.require("golden/methods");
        Map<String, INDArray> data = Npz.read(root.resolve("data/16x24_randn.npz"));
        Map<String, INDArray> golden = Npz.read(root.resolve("lorafa/16x24_r4_a8.npz"));
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 24);
        SDVariable y = graph.placeHolder("y", DataType.FLOAT, -1, 16);
        SDVariable product = graph.mmul(
                "product", x, graph.var("lin.weight", data.get("W").transpose().dup('c')));
        SDVariable error =
                product.add("out", graph.var("lin.bias", data.get("b"))).sub("error", y);
        error.mul("squares", error).mean("loss");
        graph.setLossVariables("loss");
        Map<String, INDArray> feeds = Map.of("x", data.get("x"), "y", data.get("y"));
        LoraFa method = new LoraFa(Lora.rank(4).withAlpha(8)).withCorrection();
        AdaptedModel fresh = AdaptedModel.inject(graph, AdapterConfig.of(method));
        AdapterState start = fresh.state();
        INDArray a = golden.get("A0").transpose().dup('c');
        INDArray b = golden.get("B0").transpose().dup('c');
        Map<String, INDArray> tensors = Map.of("lora_A", a, "lora_B", b);
        AdapterState.Site site = start.sites().get(0);
        AdaptedModel model = AdaptedModel.inject(
                fresh.unload(),
                Map.of(),
                new AdapterState(
                        start.config(),
                        List.of(new AdapterState.Site(
                                site.module(),
                                site.weight(),
                                site.in(),
                                site.out(),
                                site.rank(),
                                site.alpha(),
                                site.scaling(),
                                tensors,
                                tensors,
                                true,
                                site.weightHash())),
                        start.baseHash()));
        String name = model.trainableNames().get(0);
        AfterStep correction = method.afterStep().orElseThrow();
        assertThat(correction.corrects()).isTrue();
        INDArray m = Nd4j.zeros(DataType.DOUBLE, b.shape());
        INDArray v = Nd4j.zeros(DataType.DOUBLE, b.shape());
        try (Engine engine = EveryEngine.COMPILED.open(graph, "loss", model.trainableNames())) {
            for (int step = 0; step < 20; step++) {
                Engine.Gradients gradients = engine.gradients(feeds);
                assertThat(gradients.loss()).isCloseTo(golden.get("losses").getDouble(step), within(1e-6));
                INDArray gradient = gradients.byName().get(name);
                correction.correct(
                        List.of(new AfterStep.Layer(Map.of("lora_A", a, "lora_B", b), Map.of("lora_B", gradient), 2)));
                INDArray g = gradient.castTo(DataType.DOUBLE);
                m.muli(0.9).addi(g.mul(0.1));
                v.muli(0.999).addi(g.mul(g).mul(0.001));
                double rate = 0.01 * Math.sqrt(1 - Math.pow(0.999, step + 1)) / (1 - Math.pow(0.9, step + 1));
                INDArray change = m.div(Transforms.sqrt(v, true).add(1e-6)).mul(rate);
                graph.getVariable(name).getArr().subi(change.castTo(DataType.FLOAT));
            }
        }
        INDArray trained = graph.getVariable(name).getArr();
        assertThat(trained.sub(golden.get("B20").transpose()).amaxNumber().doubleValue())
                .isLessThan(1e-4 * golden.get("B20").amaxNumber().doubleValue());
    }

    /** The trainer corrects between the norm and the update: with plain gradient descent B moves by the corrected gradient, clipped by the other. */
    @Test
    void the_trainer_corrects_what_it_updates_with_and_clips_by_what_it_was() {
        Map<String, INDArray> plain = moved(new LoraFa(Lora.rank(3).withAlpha(6)));
        AdaptedModel model = AdaptedModel.inject(
                new TinyGpt(16, 1, 2, 11, 0).graph,
                AdapterConfig.of(new LoraFa(Lora.rank(3).withAlpha(6))));
        moved(new LoraFa(Lora.rank(3).withAlpha(6)).withCorrection()).forEach((name, now) -> {
            INDArray a = model.graph()
                    .getVariable(name.replace("lora_B", "lora_A"))
                    .getArr()
                    .castTo(DataType.DOUBLE);
            INDArray gram = a.transpose().mmul(a).mul(4); // s = 2
            assertThat(gram.mmul(now.castTo(DataType.DOUBLE))
                            .sub(plain.get(name).castTo(DataType.DOUBLE))
                            .amaxNumber()
                            .doubleValue())
                    .as(name)
                    .isLessThan(1e-3 * plain.get(name).amaxNumber().doubleValue());
        });
    }

    /** B, which starts at zero, after one step of gradient descent that is clipped. */
    private static Map<String, INDArray> moved(LoraFa method) {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 0);
        AdaptedModel model = AdaptedModel.inject(gpt.graph, AdapterConfig.of(method));
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        TrainingPlan plan = TrainingPlan.builder()
                .steps(1)
                .learningRate(0.1)
                .clipNorm(0.01)
                .updater(new Sgd(0.1))
                .build();
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids", "causal"))) {
            trainer.fit(Batches.of(gpt, 1, 3, 6), null);
        }
        return model.trainables();
    }
}
