package dev.samediff.adapters.train;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.adapters.train.metric.Metrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** Metrics decide what is best and when to stop, in their direction. */
class JudgedTrainingTest {
    @TempDir
    Path dir;

    private final SameDiff graph = SameDiff.create();
    private final AdaptedModel model;
    private final TaskLoss loss;

    JudgedTrainingTest() {
        Random random = new Random(4);
        float[] weights = new float[24];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) random.nextGaussian();
        }
        graph.placeHolder("x", DataType.FLOAT, -1, 8)
                .mmul(
                        "logits",
                        graph.constant(
                                "dense.weight", Nd4j.createFromArray(weights).reshape(8, 3)));
        model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        loss = Losses.classification(graph, "logits");
    }

    private static SingletonMultiDataSetIterator data(int seed) {
        Random random = new Random(seed);
        float[] x = new float[30 * 8];
        int[] labels = new int[30];
        for (int i = 0; i < 30; i++) {
            labels[i] = random.nextInt(3);
            for (int k = 0; k < 8; k++) {
                x[i * 8 + k] = (float) random.nextGaussian() + (k == labels[i] ? 2 : 0);
            }
        }
        return new SingletonMultiDataSetIterator(
                new MultiDataSet(Nd4j.createFromArray(x).reshape(30, 8), Nd4j.createFromArray(labels)));
    }

    private AdapterTrainer trainer(TrainingPlan plan) {
        return new AdapterTrainer(model, loss, plan, Binding.of(loss, "x"));
    }

    /** A metric that says what it is told, one number for each evaluation. */
    private static Metric told(boolean higher, double... values) {
        List<Double> left = new ArrayList<>();
        for (double value : values) {
            left.add(value);
        }
        return new Metric() {
            @Override
            public String name() {
                return "told";
            }

            @Override
            public boolean isHigherBetter() {
                return higher;
            }

            @Override
            public List<String> outputs() {
                return List.of();
            }

            @Override
            public Accumulator start() {
                return new Accumulator() {
                    @Override
                    public void add(Batch batch) {}

                    @Override
                    public double value(double loss) {
                        return left.remove(0);
                    }
                };
            }
        };
    }

    @Test
    void evaluations_report_metrics_that_agree_with_the_scores() {
        TrainingPlan plan = TrainingPlan.builder()
                .steps(20)
                .learningRate(5e-2)
                .evaluateEvery(10)
                .build();
        try (AdapterTrainer trainer = trainer(plan).reporting(Metrics.accuracy("logits"), Metrics.macroF1("logits"))) {
            TrainingResult result = trainer.fit(data(1), data(2));
            assertThat(result.evaluations()).hasSize(3);
            Evaluation last = result.finalEvaluation().orElseThrow();
            MultiDataSet batch = (MultiDataSet) data(2).next();
            INDArray scores =
                    graph.output(Map.of("x", batch.getFeatures(0)), "logits").get("logits");
            double right = scores.argMax(1)
                    .eq(batch.getLabels(0).castTo(DataType.LONG))
                    .castTo(DataType.FLOAT)
                    .meanNumber()
                    .doubleValue();
            assertThat(last.metrics()).containsOnlyKeys("accuracy", "f1_macro");
            assertThat(last.metrics().get("accuracy")).isCloseTo(right, within(1e-6));
            assertThat(right)
                    .isGreaterThan(result.evaluations().get(0).metrics().get("accuracy"));
            assertThat(trainer.evaluate(data(2)).metrics()).isEqualTo(last.metrics());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void the_best_parameters_are_those_of_the_best_value(boolean higher) {
        double sign = higher ? 1 : -1;
        double[] told = {1 * sign, 3 * sign, 2 * sign, 1 * sign, 3 * sign};
        TrainingPlan plan = TrainingPlan.builder()
                .steps(4)
                .learningRate(5e-2)
                .evaluateEvery(1)
                .restoreBest(true)
                .build();
        try (AdapterTrainer trainer = trainer(plan).judgedBy(told(higher, told))) {
            TrainingResult result = trainer.fit(data(1), data(2));
            assertThat(result.evaluations())
                    .extracting(Evaluation::best)
                    .containsExactly(true, true, false, false, false);
            assertThat(result.finalEvaluation().orElseThrow().step()).isEqualTo(1);
            assertThat(result.bestEvaluation().orElseThrow().step()).isEqualTo(1);
        }
        INDArray after = model.trainables().get("dense.lora_B.default.weight");
        JudgedTrainingTest one = new JudgedTrainingTest();
        TrainingPlan first = TrainingPlan.builder().steps(1).learningRate(5e-2).build();
        try (AdapterTrainer trainer = one.trainer(first)) {
            trainer.fit(data(1), null);
        }
        assertThatBits(after).isEqualTo(one.model.trainables().get("dense.lora_B.default.weight"));
    }

    @Test
    void training_stops_when_the_metric_stops_getting_better() {
        TrainingPlan plan = TrainingPlan.builder()
                .steps(10)
                .evaluateEvery(1)
                .earlyStopping(2, 0.1)
                .build();
        try (AdapterTrainer trainer = trainer(plan).judgedBy(told(true, 0.5, 0.7, 0.75, Double.NaN, 9, 9))) {
            TrainingResult result = trainer.fit(data(1), data(2));
            assertThat(result.reason()).isEqualTo(TrainingResult.Reason.STOPPED_EARLY);
            assertThat(result.steps()).isEqualTo(3); // 0.75 is better by less than 0.1, NaN is never better
            assertThat(result.evaluations().get(3).metrics()).isEmpty();
            assertThat(result.evaluations().get(3).best()).isFalse();
        }
    }

    @Test
    void checkpoints_go_on_with_metrics_and_only_with_the_same_one() {
        TrainingPlan plan = TrainingPlan.builder()
                .steps(4)
                .learningRate(5e-2)
                .evaluateEvery(1)
                .restoreBest(true)
                .checkpoints(dir, 2)
                .build();
        TrainingResult all;
        try (AdapterTrainer trainer = trainer(plan).judgedBy(Metrics.accuracy("logits"))) {
            all = trainer.fit(data(1), data(2));
        }
        JudgedTrainingTest again = new JudgedTrainingTest();
        try (AdapterTrainer trainer = again.trainer(plan).judgedBy(Metrics.accuracy("logits"))) {
            TrainingResult resumed = trainer.resume(dir).fit(data(1), data(2));
            assertThat(resumed.evaluations()).isEqualTo(all.evaluations());
        }
        JudgedTrainingTest other = new JudgedTrainingTest();
        try (AdapterTrainer trainer = other.trainer(plan).judgedBy(Metrics.macroF1("logits"))) {
            trainer.resume(dir);
            assertThatThrownBy(() -> trainer.fit(data(1), data(2)))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("judged by")
                    .hasMessageContaining("accuracy");
        }
    }

    @Test
    void metrics_of_variables_that_do_not_exist_are_refused_when_they_are_named() {
        try (AdapterTrainer trainer = trainer(TrainingPlan.builder().steps(1).build())) {
            assertThatThrownBy(() -> trainer.reporting(Metrics.accuracy("scores")))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("`scores`")
                    .hasMessageContaining("accuracy");
            assertThatThrownBy(
                            () -> trainer.judgedBy(Metrics.accuracy("logits")).reporting(Metrics.accuracy("logits")))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("named twice");
        }
    }
}
