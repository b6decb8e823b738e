package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.SharedFiles;
import dev.samediff.adapters.testing.ToyGraph;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.LearningRates;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.optimizer.Schedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaBelief;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;

/** Learning rates of groups, and updaters other than AdamW; numbers of torch are in OptionsTrainingTest. */
class LearningRatesTest {
    /** A model and data to train it on. */
    private static final class Training {
        final AdaptedModel model = AdaptedModel.inject(
                ToyGraph.create(DataType.FLOAT, 6, 9),
                AdapterConfig.of(Lora.rank(2)).withSeed(4));
        final TaskLoss loss = Losses.regression(model.graph(), "out");
        final SingletonMultiDataSetIterator data = new SingletonMultiDataSetIterator(new MultiDataSet(
                ToyGraph.random(new Random(1), DataType.FLOAT, 7, 6),
                ToyGraph.random(new Random(2), DataType.FLOAT, 7, 6)));

        AdapterTrainer trainer(TrainingPlan.Builder plan) {
            return new AdapterTrainer(model, loss, plan.build(), Binding.of(loss, "x"));
        }

        List<Double> fit(TrainingPlan.Builder plan) {
            try (AdapterTrainer trainer = trainer(plan)) {
                return trainer.fit(data, null).losses();
            }
        }
    }

    private static TrainingPlan.Builder plan(int steps) {
        return TrainingPlan.builder()
                .steps(steps)
                .learningRate(1e-2)
                .schedule(Schedule.CONSTANT)
                .weightDecay(0.1);
    }

    /** PEFT's own LoRA+ optimizer, 20 steps. */
    @TestFactory
    Stream<DynamicTest> peft() throws IOException {
        Path root = SharedFiles.require("golden/methods");
        JsonNode cases =
                new ObjectMapper().readTree(root.resolve("index.json").toFile()).get("cases");
        return StreamSupport.stream(cases.spliterator(), false)
                .filter(index -> index.get("id").asText().startsWith("loraplus/")
                        && !index.get("id").asText().contains("emb"))
                .map(index -> DynamicTest.dynamicTest(index.get("id").asText(), () -> peft(root, index)));
    }

    private static void peft(Path root, JsonNode index) throws IOException {
        GoldenLayer layer = new GoldenLayer(root, index, Orientation.IN_OUT, DataType.FLOAT);
        AdaptedModel model = AdaptedModel.inject(
                layer.graph(),
                AdapterConfig.of(Lora.rank(index.get("r").asInt())
                                .withAlpha(index.get("alpha").asDouble()))
                        .withTargets(TargetSelector.suffixes(GoldenLayer.MODULE)));
        String a = GoldenLayer.MODULE + ".lora_A.default.weight";
        String b = GoldenLayer.MODULE + ".lora_B.default.weight";
        model.restore(Map.of(a, layer.inOut("A0"), b, layer.inOut("B0")));
        TaskLoss loss = Losses.regression(layer.graph(), "out");
        double rate = index.get("lr_A").asDouble();
        TrainingPlan plan = plan(20).learningRate(rate)
                .weightDecay(index.get("weight_decay").asDouble())
                .clipNorm(0)
                .loraPlus(index.get("lr_B").asDouble() / rate)
                .build();
        INDArray x = Objects.requireNonNull(layer.feeds().get("x"));
        INDArray y = Objects.requireNonNull(layer.feeds().get("y"));
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "x"))) {
            List<Double> losses = trainer.fit(new SingletonMultiDataSetIterator(new MultiDataSet(x, y)), null)
                    .losses();
            for (int i = 0; i < losses.size(); i++) {
                double expected = layer.golden("losses").getDouble(i);
                assertThat(losses.get(i)).isCloseTo(expected, within(1e-4 * expected));
            }
        }
        for (String name : List.of("A", "B")) {
            INDArray trained = Objects.requireNonNull(model.trainables().get(name.equals("A") ? a : b));
            assertThat(trained.sub(layer.inOut(name + "20")).amaxNumber().doubleValue())
                    .isLessThan(1e-4);
        }
    }

    @Test
    void the_first_group_that_fits_decides_then_lora_plus_then_the_plan() {
        LearningRates rates = LearningRates.SAME
                .withLoraPlus(4)
                .with("*.up_proj.*", 0.5)
                .with("*.lora_B.*", 0.02)
                .with("exact", 0);
        INDArray matrix = Nd4j.zeros(2, 2);
        assertThat(rates.of("m.up_proj.lora_B.default.weight", matrix, 0.1).learning())
                .isEqualTo(5);
        assertThat(rates.of("m.down.lora_B.default.weight", matrix, 0.1).learning())
                .isCloseTo(0.2, within(1e-12));
        assertThat(rates.of("exact", matrix, 0.1).learning()).isZero();
        assertThat(rates.of("exact.weight", matrix, 0.1)).isEqualTo(LearningRates.Factors.ONE);
        assertThat(rates.of("m.down.lora_A.default.weight", matrix, 0.1)).isEqualTo(LearningRates.Factors.ONE);
        assertThat(rates.of("m.down.sorsa_B.default.weight", matrix, 0.1).learning())
                .isEqualTo(4);
        assertThat(rates.of("m.wte.lora_embedding_B.default", matrix, 0.1)).isEqualTo(LearningRates.Factors.ONE);
        assertThat(rates.of("m.down.bias", Nd4j.zeros(3), 0.1)).isEqualTo(new LearningRates.Factors(4, 0));
        assertThat(LearningRates.SAME.of("m.down.bias", Nd4j.zeros(3), 0.1)).isEqualTo(LearningRates.Factors.ONE);
    }

    @Test
    void tensors_with_a_rate_of_zero_stay_and_a_pattern_without_tensors_is_refused() {
        Training training = new Training();
        Map<String, INDArray> before = training.model.trainables();
        training.fit(plan(3).learningRateOf("*.up_proj.*", 0));
        training.model.trainables().forEach((name, value) -> {
            if (name.contains("up_proj")) {
                assertThatBits(value).as(name).isEqualTo(before.get(name));
            } else {
                assertThatBits(value).as(name).isNotEqualTo(before.get(name));
            }
        });
        assertThatThrownBy(() -> training.fit(plan(1).learningRateOf("*.q_proj.*", 1e-3)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("*.q_proj.*")
                .hasMessageContaining("up_proj.lora_A");
        assertThatThrownBy(() -> plan(1).loraPlus(0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("LoRA+");
        assertThatThrownBy(() -> plan(1).learningRateOf("*", Double.NaN)).isInstanceOf(InvalidInputException.class);
    }

    static Stream<IUpdater> updaters() {
        return Stream.of(
                new Sgd(),
                new Nesterovs(0.9),
                new Adam(),
                new AdaMax(),
                new Nadam(),
                new AdaGrad(),
                new AdaDelta(),
                new RmsProp());
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void an_updater_lowers_the_loss_and_goes_on_from_its_checkpoint(IUpdater updater, @TempDir Path dir) {
        Training whole = new Training();
        List<Double> losses = whole.fit(plan(6).updater(updater).loraPlus(2));
        assertThat(losses.get(5)).isLessThan(losses.get(0));
        Training interrupted = new Training();
        TrainingPlan.Builder plan = plan(6).updater(updater).loraPlus(2).checkpoints(dir, 3);
        try (AdapterTrainer trainer = interrupted.trainer(plan)) {
            trainer.stop();
            trainer.fit(interrupted.data, null);
        }
        Training resumed = new Training();
        try (AdapterTrainer trainer = resumed.trainer(plan)) {
            assertThat(trainer.resume(dir).fit(resumed.data, null).losses()).isEqualTo(losses);
        }
        assertThatBits(resumed.model.trainables()).isEqualTo(whole.model.trainables());
        try (AdapterTrainer other = new Training().trainer(plan(6).checkpoints(dir, 3))) {
            assertThatThrownBy(() -> other.resume(dir))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("plan's updater was")
                    .hasMessageContaining("lora+");
        }
    }

    @Test
    void updaters_that_cannot_be_used_are_refused_by_name() {
        assertThatThrownBy(() -> new Training().trainer(plan(1).updater(new AMSGrad())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("AMSGrad")
                .hasMessageContaining("RmsProp");
        assertThatThrownBy(() -> new Training().trainer(plan(1).updater(new AdaBelief())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("AdaBelief");
    }
}
