package dev.samediff.adapters.train;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.PenalizedSites;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.GraphVersion;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.optimizer.Schedule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

class AdapterTrainerTest extends TinyTraining {
    @Test
    void every_step_counts_in_the_graph_s_version() {
        GraphVersion version = GraphVersion.of(gpt.graph);
        long structure = version.structure();
        train(plan(3), Batches.of(gpt, 2, 4, 6));
        assertThat(version.value(gpt.trainables.get(0))).isGreaterThanOrEqualTo(3);
        assertThat(version.structure()).isEqualTo(structure);
    }

    @Test
    void a_listener_ends_a_run_and_the_next_one_goes_on() {
        TrainingListener third = new TrainingListener() {
            private int steps;

            @Override
            public void onStep(StepReport report) {
                steps++;
            }

            @Override
            public boolean wantsStop() {
                return steps == 3;
            }
        };
        try (AdapterTrainer trainer = trainer(plan(7))) {
            Batches batches = Batches.of(gpt, 2, 4, 6);
            TrainingResult result = trainer.fit(batches, null, third);
            assertThat(result.reason()).isEqualTo(TrainingResult.Reason.INTERRUPTED);
            assertThat(result.steps()).isEqualTo(3);
            TrainingResult rest = trainer.fit(batches, null);
            assertThat(rest.reason()).isEqualTo(TrainingResult.Reason.COMPLETED);
            assertThat(rest.steps()).isEqualTo(7);
        }
    }

    @Test
    void the_loss_falls_and_the_base_weights_never_move() {
        Map<String, INDArray> before = values(gpt, gpt.weights);
        TrainingResult result = train(plan(30), Batches.of(gpt, 2, 4, 6));
        assertThat(result.steps()).isEqualTo(30);
        assertThat(result.reason()).isEqualTo(TrainingResult.Reason.COMPLETED);
        assertThat(result.finalLoss()).isLessThan(result.losses().get(0) - 0.3);
        assertThatBits(values(gpt, gpt.weights)).isEqualTo(before);
    }

    @Test
    void two_batches_accumulated_equal_one_of_twice_the_size() {
        Batches halves = Batches.of(gpt, 6, 2, 5);
        TinyGpt other = new TinyGpt(16, 1, 2, 11, 3);
        TrainingResult accumulated = train(plan(6).accumulation(2), halves);
        TrainingResult whole = train(other, plan(6), halves.joined());
        for (int i = 0; i < 6; i++) {
            assertThat(accumulated.losses().get(i))
                    .isCloseTo(
                            whole.losses().get(i), within(1e-6 * whole.losses().get(i)));
        }
    }

    @Test
    void the_last_update_of_an_epoch_takes_what_is_left() {
        Batches batches = Batches.of(gpt, 3, 1, 4);
        TrainingResult result =
                train(TrainingPlan.builder().epochs(2).accumulation(2).learningRate(1e-3), batches);
        assertThat(result.steps()).isEqualTo(4);
        assertThat(batches.taken).isEqualTo(3 + 6);
    }

    @Test
    void the_first_update_moves_every_parameter_by_the_learning_rate_against_its_gradient() {
        Batches one = Batches.of(gpt, 1, 2, 5);
        Map<String, INDArray> before = values(gpt, gpt.trainables);
        Map<String, INDArray> gradients;
        try (Engine engine = new ReferenceEngine(gpt.graph, loss.loss(), gpt.trainables)) {
            gradients = engine.gradients(inputs.placeholders(one.list.get(0))).byName();
        }
        train(plan(1), one);
        for (String name : gpt.trainables) {
            INDArray moved = gpt.graph.getArrForVarName(name).sub(before.get(name));
            for (long i = 0; i < moved.length(); i++) {
                double g = gradients.get(name).getDouble(i);
                if (Math.abs(g) > 1e-4) {
                    assertThat(moved.getDouble(i)).isCloseTo(-0.01 * Math.signum(g), within(1e-5));
                }
            }
        }
    }

    @Test
    void the_schedule_sets_the_learning_rate_of_every_step() {
        List<StepReport> reports = new ArrayList<>();
        train(plan(6).schedule(Schedule.LINEAR).warmupSteps(2), Batches.of(gpt, 1, 1, 3), new TrainingListener() {
            @Override
            public void onStep(StepReport report) {
                reports.add(report);
            }
        });
        assertThat(reports).extracting(StepReport::step).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(reports.stream().mapToDouble(StepReport::learningRate).toArray())
                .containsExactly(new double[] {0, .005, .01, .0075, .005, .0025}, within(1e-12));
        assertThat(reports)
                .allMatch(r -> r.tokens() <= 3 && r.tokens() >= 0 && r.gradientNorm() >= 0 && r.seconds() > 0);
    }

    /** A model whose task gradient is zero and whose penalty is sum(w) of gamma 0.5. */
    private static Trainable penalised(SameDiff graph) {
        return new Trainable() {
            @Override
            public SameDiff graph() {
                return graph;
            }

            @Override
            public List<String> trainableNames() {
                return List.of("w");
            }

            @Override
            public List<PenalizedSites> penalties() {
                Penalty sum = new Penalty() {
                    @Override
                    public double gamma() {
                        return 0.5;
                    }

                    @Override
                    public SDVariable inGraph(List<Map<String, SDVariable>> sites, String name) {
                        throw new IllegalStateException();
                    }

                    @Override
                    public Value evaluate(List<Map<String, INDArray>> sites) {
                        INDArray w = sites.get(0).get("short");
                        return new Value(w.sumNumber().doubleValue(), List.of(Map.of("short", Nd4j.onesLike(w))));
                    }
                };
                return List.of(new PenalizedSites(sum, List.of(Map.of("short", "w"))));
            }
        };
    }

    @Test
    void the_penalty_is_added_once_per_update_with_gamma_over_the_peak_after_clipping() {
        SameDiff graph = SameDiff.create();
        SDVariable w = graph.var("w", Nd4j.createFromArray(3f, 4f).reshape(1, 2));
        graph.placeHolder("x", org.nd4j.linalg.api.buffer.DataType.FLOAT, -1, 2)
                .mul(w)
                .rename("logits");
        TaskLoss task = Losses.classification(graph, "logits");
        Batches batches = new Batches();
        batches.list.add(new org.nd4j.linalg.dataset.MultiDataSet(Nd4j.zeros(4, 2), Nd4j.createFromArray(0, 1, 0, 1)));
        for (boolean clipPenalty : new boolean[] {false, true}) {
            List<StepReport> reports = new ArrayList<>();
            TrainingPlan plan = TrainingPlan.builder()
                    .steps(1)
                    .learningRate(0.05)
                    .clipPenalty(clipPenalty)
                    .accumulation(2)
                    .build();
            try (AdapterTrainer trainer = new AdapterTrainer(penalised(graph), task, plan, Binding.of(task, "x"))) {
                trainer.fit(batches, null, new TrainingListener() {
                    @Override
                    public void onStep(StepReport report) {
                        reports.add(report);
                    }
                });
            }
            double value = clipPenalty ? 6.9 : 7;
            assertThat(reports.get(0).loss()).isCloseTo(Math.log(2), within(1e-5));
            assertThat(reports.get(0).penalty()).isCloseTo(10 * value, within(1e-3));
            assertThat(reports.get(0).total()).isCloseTo(Math.log(2) + 10 * value, within(1e-3));
            assertThat(reports.get(0).gradientNorm()).isCloseTo(clipPenalty ? Math.sqrt(200) : 0, within(1e-4));
        }
    }

    @Test
    void the_evaluation_loss_is_weighted_by_tokens() {
        Batches batches = Batches.of(gpt, 4, 2, 5);
        batches.list.get(0).getLabelsMaskArray(0).assign(0).putScalar(0, 1);
        try (AdapterTrainer trainer =
                new AdapterTrainer(Trainable.of(gpt.graph, gpt.trainables), loss, plan(1).build(), inputs)) {
            Evaluation parts = trainer.evaluate(batches);
            Evaluation whole = trainer.evaluate(batches.joined().joined());
            assertThat(parts.loss()).isCloseTo(whole.loss(), within(1e-6 * whole.loss()));
            assertThat(parts.tokens()).isEqualTo(whole.tokens());
        }
    }

    @Test
    void plain_samediff_fit_goes_the_same_way() {
        TinyGpt mine = new TinyGpt(16, 1, 2, 11, 0);
        TinyGpt plain = new TinyGpt(16, 1, 2, 11, 0);
        Batches batches = Batches.of(mine, 1, 4, 6);
        AdapterConfig config = AdapterConfig.of(Sorsa.rank(3));
        Map<String, INDArray> byTrainer = movement(mine, config, (model, task) -> {
            TrainingPlan once = TrainingPlan.builder()
                    .steps(1)
                    .learningRate(1e-3)
                    .clipNorm(0)
                    .build();
            try (AdapterTrainer trainer =
                    new AdapterTrainer(model, task, once, Binding.of(task, "input_ids", "causal"))) {
                trainer.fit(batches, null);
            }
        });
        Map<String, Double> loss = new HashMap<>();
        Map<String, INDArray> byFit = movement(plain, config, (model, task) -> {
            model.useLoss(task.loss());
            model.peakLearningRate(1e-3);
            SameDiff graph = model.graph();
            graph.setTrainingConfig(TrainingConfig.builder()
                    .updater(new Sgd(1e-3))
                    .dataSetFeatureMapping("input_ids", "causal")
                    .dataSetLabelMapping(task.labels())
                    .dataSetLabelMaskMapping(task.mask())
                    .minimize(graph.getLossVariables().toArray(String[]::new))
                    .build());
            Map<String, INDArray> batch = inputs.placeholders(batches.list.get(0));
            loss.put("before", value(graph, task, batch));
            for (int i = 0; i < 20; i++) {
                graph.fit(batches.list.get(0));
            }
            loss.put("after", value(graph, task, batch));
        });
        assertThat(loss.get("after")).isLessThan(loss.get("before"));
        assertThat(byTrainer.keySet()).isEqualTo(byFit.keySet());
        byTrainer.forEach((name, moved) -> {
            double agreement = moved.mul(byFit.get(name)).sumNumber().doubleValue();
            assertThat(agreement).as(name).isPositive();
        });
    }

    private static double value(SameDiff graph, TaskLoss task, Map<String, INDArray> batch) {
        return graph.output(batch, List.of(task.loss())).get(task.loss()).getDouble(0);
    }

    private interface Training {
        void run(AdaptedModel model, TaskLoss task);
    }

    private static Map<String, INDArray> movement(TinyGpt gpt, AdapterConfig config, Training training) {
        AdaptedModel model = AdaptedModel.inject(gpt.graph, config);
        TaskLoss task = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> before = model.trainables();
        training.run(model, task);
        Map<String, INDArray> moved = new LinkedHashMap<>();
        model.trainables().forEach((name, value) -> moved.put(name, value.sub(before.get(name))));
        return moved;
    }
}
