package dev.samediff.adapters.train;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.optimizer.Parameters;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** What a trainer refuses, and when it may be used. */
class TrainerRefusalsTest extends TinyTraining {
    @Test
    void a_trainer_refuses_a_model_that_trains_other_variables_than_it_did() {
        TinyGpt plain = new TinyGpt(16, 1, 2, 11, 0);
        TaskLoss task = Losses.causalLm(plain.graph, plain.logits);
        AdaptedModel model =
                AdaptedModel.inject(plain.graph, AdapterConfig.of(Sorsa.rank(2)).withName("one"));
        model.add(AdapterConfig.of(Sorsa.rank(2)).withName("two"));
        Map<String, Runnable> changes = new LinkedHashMap<>();
        changes.put("activate two", () -> model.activate("two"));
        changes.put("activate both", () -> model.activate("one", "two"));
        changes.put("unload", model::unload);
        changes.forEach((name, change) -> {
            if (!name.equals("unload")) {
                model.activate("one");
            }
            try (AdapterTrainer trainer = new AdapterTrainer(model, task, plan(4).build(), inputs)) {
                TrainingListener changing = new TrainingListener() {
                    @Override
                    public void onStep(StepReport report) {
                        if (report.step() == 2) {
                            change.run();
                        }
                    }
                };
                assertThatThrownBy(() -> trainer.fit(Batches.of(plain, 2, 4, 6), null, changing))
                        .as(name)
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContainingAll("trains other variables", "Make a new trainer");
            }
        });
    }

    @Test
    void plans_and_bindings_that_cannot_work_are_refused() {
        assertThatThrownBy(() -> TrainingPlan.builder().build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("steps / epochs");
        assertThatThrownBy(() -> plan(1).learningRate(0).build()).hasMessageContaining("learning rate is 0.0");
        assertThatThrownBy(() -> plan(1).warmupSteps(2).build()).hasMessageContaining("at most the 1 steps");
        assertThatThrownBy(() -> plan(1).accumulation(0).build()).hasMessageContaining("accumulation is 0");
        assertThatThrownBy(() -> new AdapterTrainer(
                        Trainable.of(gpt.graph, gpt.trainables), loss, plan(1).build(), Binding.of(loss, "tokens")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`tokens`")
                .hasMessageContaining("input_ids");
    }

    @Test
    void data_without_batches_and_batches_with_other_arrays_are_refused() {
        assertThatThrownBy(() -> train(plan(1), new Batches()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no batches");
        Batches batches = new Batches();
        batches.list.add(new org.nd4j.linalg.dataset.MultiDataSet(Nd4j.zeros(1, 2), Nd4j.zeros(1, 2)));
        assertThatThrownBy(() -> train(plan(1), batches)).hasMessageContaining("1 feature arrays");
    }

    /** The optimiser's and the engine's memory was freed under a running training, which ended the process. */
    @Test
    void a_trainer_is_not_closed_while_it_trains() throws Exception {
        AdapterTrainer trainer =
                new AdapterTrainer(Trainable.of(gpt.graph, gpt.trainables), loss, plan(4).build(), inputs);
        ExecutorService other = Executors.newSingleThreadExecutor();
        List<String> refusals = new ArrayList<>();
        try {
            TrainingListener closing = new TrainingListener() {
                @Override
                public void onStep(StepReport report) {
                    try {
                        refusals.add(other.submit(() -> refusal(trainer::close)).get());
                        refusals.add(refusal(trainer::close));
                        refusals.add(other.submit(() -> refusal(() -> trainer.fit(Batches.of(gpt, 1, 2, 4), null)))
                                .get());
                    } catch (InterruptedException | ExecutionException e) {
                        throw new IllegalStateException(e);
                    }
                }
            };
            assertThat(trainer.fit(Batches.of(gpt, 2, 2, 4), null, closing).steps())
                    .isEqualTo(4);
        } finally {
            other.shutdownNow();
        }
        assertThat(refusals)
                .hasSize(12)
                .allSatisfy(refusal -> assertThat(refusal).contains("the thread"));
        trainer.close();
        trainer.close();
        assertThat(refusal(() -> trainer.fit(Batches.of(gpt, 1, 2, 4), null))).contains("the trainer is closed");
        assertThat(refusal(() -> trainer.evaluate(Batches.of(gpt, 1, 2, 4)))).contains("the trainer is closed");
    }

    /** A mask of -1 gave a negative loss, one of NaN everywhere a finite one. */
    @Test
    void masks_that_are_negative_or_not_finite_are_refused_for_every_loss() {
        for (double value : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
            MultiDataSet batch = new MultiDataSet(
                    new INDArray[] {Nd4j.ones(1, 2), Nd4j.ones(1, 2)},
                    new INDArray[] {Nd4j.ones(1, 2)},
                    null,
                    new INDArray[] {Nd4j.valueArrayOf(new long[] {1, 2}, value)});
            assertThatThrownBy(() -> inputs.placeholders(batch))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("`label_mask`")
                    .hasMessageContaining("[0, 0]");
        }
    }

    @Test
    void a_loss_that_is_not_finite_stops_training_before_the_parameters_are_touched() {
        Batches batches = Batches.of(gpt, 2, 2, 4);
        batches.list.get(1).getFeatures(1).putScalar(0, 0, Float.NaN);
        List<Map<String, INDArray>> after = new ArrayList<>();
        assertThatThrownBy(() -> train(plan(5), batches, new TrainingListener() {
                    @Override
                    public void onStep(StepReport report) {
                        after.add(values(gpt, gpt.trainables));
                    }
                }))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageContaining("step 2")
                .hasMessageContaining("step 1")
                .hasMessageContaining("0.01");
        assertThat(after).hasSize(1);
        assertThatBits(values(gpt, gpt.trainables)).isEqualTo(after.get(0));
    }

    /** Loss and gradient norm of the step are finite; without the check the run ended with parameters that are no numbers. */
    @Test
    void an_update_that_overflows_is_undone_and_told_in_its_step_also_the_last_one() {
        Map<String, INDArray> start = values(gpt, gpt.trainables);
        for (TrainingPlan.Builder plan : List.of(
                plan(1).learningRate(1e39),
                plan(1).learningRate(1e39).updater(new Sgd()),
                plan(1).learningRate(1e-3).weightDecay(1e300),
                plan(3).learningRate(1e39))) {
            List<StepReport> reports = new ArrayList<>();
            assertThatThrownBy(() -> train(plan, Batches.of(gpt, 2, 2, 4), new TrainingListener() {
                        @Override
                        public void onStep(StepReport report) {
                            reports.add(report);
                        }
                    }))
                    .isInstanceOf(NonFiniteException.class)
                    .hasMessageContaining("the update of step 1 made numbers of `")
                    .hasMessageContaining("the parameters are those of step 0")
                    .hasMessageContaining("Lower the learning rate (");
            assertThat(reports).isEmpty();
            assertThatBits(values(gpt, gpt.trainables)).isEqualTo(start);
        }
    }

    /** The moments of an update that was undone are not those of the last good step. */
    @Test
    void a_training_whose_update_was_undone_does_not_go_on_in_the_same_trainer() {
        TrainingPlan plan = plan(2).learningRate(1e39).build();
        try (AdapterTrainer trainer = new AdapterTrainer(Trainable.of(gpt.graph, gpt.trainables), loss, plan, inputs)) {
            Batches data = Batches.of(gpt, 2, 2, 4);
            assertThatThrownBy(() -> trainer.fit(data, null)).isInstanceOf(NonFiniteException.class);
            assertThatThrownBy(() -> trainer.fit(data, null))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("the update after step 0 was undone")
                    .hasMessageContaining("make a new trainer");
        }
    }

    @Test
    void infinity_and_nan_are_found_wherever_they_stand() {
        for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            Parameters parameters = new Parameters(Trainable.of(gpt.graph, gpt.trainables));
            parameters.keep();
            assertThat(parameters.areFinite()).isTrue();
            INDArray last = parameters.arrays().get(gpt.trainables.size() - 1);
            float before = last.getFloat(last.length() - 1);
            last.putScalar(last.length() - 1, value);
            assertThat(parameters.areFinite()).isFalse();
            assertThat(parameters.firstNotFinite()).isEqualTo(gpt.trainables.get(gpt.trainables.size() - 1));
            assertThat(parameters.undo()).isTrue();
            assertThat(last.getFloat(last.length() - 1)).isEqualTo(before);
            parameters.forget();
            assertThat(parameters.undo()).isFalse();
        }
    }

    private static String refusal(Runnable call) {
        try {
            call.run();
            return "";
        } catch (IllegalStateException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private AdapterTrainer adapted(AdaptedModel model, TrainingPlan.Builder plan) {
        return new AdapterTrainer(model, Losses.causalLm(model.graph(), "logits"), plan.build(), inputs);
    }

    private static AdaptedModel model() {
        return AdaptedModel.inject(new TinyGpt(16, 1, 2, 11, 0).graph, AdapterConfig.of(Sorsa.rank(2)));
    }

    /** It ran to its end and changed nothing. */
    @Test
    void merged_and_disabled_adapters_are_not_trained() {
        Map<String, Consumer<AdaptedModel>> states = Map.of(
                "unmerge()", AdaptedModel::merge,
                "enable()", AdaptedModel::disable);
        states.forEach((wayOut, change) -> {
            AdaptedModel before = model();
            change.accept(before);
            try (AdapterTrainer trainer = adapted(before, plan(2))) {
                assertThatThrownBy(() -> trainer.fit(Batches.of(gpt, 1, 2, 4), null))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContainingAll("change nothing", wayOut);
                before.unmerge();
                before.enable();
                assertThat(trainer.fit(Batches.of(gpt, 1, 2, 4), null).steps()).isEqualTo(2);
            }
            AdaptedModel between = model();
            try (AdapterTrainer trainer = adapted(between, plan(4))) {
                assertThatThrownBy(() -> trainer.fit(Batches.of(gpt, 1, 2, 4), null, new TrainingListener() {
                            @Override
                            public void onStep(StepReport report) {
                                change.accept(between);
                            }
                        }))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining(wayOut);
            }
        });
    }

    /** A head that was made trainable beside the adapters did not move. */
    @Test
    void a_variable_that_would_be_left_out_is_refused_trained_or_made_a_constant() {
        AdaptedModel model = model();
        SDVariable head = model.graph().getVariable("lm_head");
        INDArray start = head.getArr().dup();
        head.convertToVariable();
        TaskLoss task = Losses.causalLm(model.graph(), "logits");
        Batches data = Batches.of(gpt, 1, 2, 4);
        try (AdapterTrainer trainer = adapted(model, plan(1))) {
            assertThatThrownBy(() -> trainer.fit(data, null))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContainingAll("leaves out: lm_head", ".with(\"lm_head\")", "convertToConstant()");
        }
        try (AdapterTrainer trainer =
                new AdapterTrainer(Trainable.of(model, task).with("lm_head"), task, plan(1).build(), inputs)) {
            trainer.fit(data, null);
        }
        INDArray trained = head.getArr().dup();
        assertThat(trained.sub(start).amaxNumber().doubleValue()).isCloseTo(0.01, within(1e-4));
        head.convertToConstant();
        try (AdapterTrainer trainer = adapted(model, plan(1))) {
            trainer.fit(data, null);
        }
        assertThatBits(head.getArr()).isEqualTo(trained);
    }

    @Test
    void a_variable_beside_the_way_to_the_loss_may_be_anything() {
        AdaptedModel model = model();
        model.graph().var("other", Nd4j.ones(2)).mul(2).rename("beside");
        try (AdapterTrainer trainer = adapted(model, plan(1))) {
            assertThat(trainer.fit(Batches.of(gpt, 1, 2, 4), null).steps()).isEqualTo(1);
        }
    }

    @Test
    void what_the_loss_does_not_depend_on_cannot_be_trained() {
        gpt.graph.var("other", Nd4j.ones(2)).mul(2).rename("beside");
        for (TrainingPlan.Builder plan : List.of(plan(1), plan(1).engine(EngineOptions.reference()))) {
            assertThatThrownBy(() -> {
                        try (AdapterTrainer trainer = new AdapterTrainer(
                                Trainable.of(gpt.graph, List.of("other")), loss, plan.build(), inputs)) {
                            trainer.fit(Batches.of(gpt, 1, 2, 4), null);
                        }
                    })
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("depends on none of the 1 trainable variables other");
        }
    }

    @Test
    void only_variables_that_exist_can_be_trained() {
        Map<List<String>, String> refused = new LinkedHashMap<>();
        refused.put(List.of(), "nothing to train");
        refused.put(List.of("h.0.attn.c_attn.lora_C"), "`h.0.attn.c_attn.lora_C` does not exist");
        refused.put(List.of("lm_head"), "`lm_head` is a CONSTANT of type FLOAT");
        refused.put(List.of("logits"), "`logits` is a ARRAY");
        refused.put(List.of("input_ids"), "`input_ids` is a PLACEHOLDER");
        refused.forEach((names, part) -> assertThatThrownBy(
                        () -> new AdapterTrainer(Trainable.of(gpt.graph, names), loss, plan(1).build(), inputs))
                .as("%s", names)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(part));
        assertThatThrownBy(() -> new AdapterTrainer(
                        Trainable.of(gpt.graph, gpt.trainables).with("lm_head"), loss, plan(1).build(), inputs))
                .hasMessageContaining("convertToVariable()");
    }

    @Test
    void data_without_labels_trains_nothing_and_decides_nothing() {
        Batches none = Batches.of(gpt, 2, 2, 4);
        none.list.forEach(batch -> batch.getLabelsMaskArray(0).assign(0));
        Batches some = Batches.of(gpt, 2, 2, 4);
        some.list.get(0).getLabelsMaskArray(0).assign(0);
        for (int steps : new int[] {1, 2, 100}) {
            Map<String, INDArray> before = values(gpt, gpt.trainables);
            assertThatThrownBy(() -> train(plan(steps), none))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("no label of the training data counts");
            assertThatBits(values(gpt, gpt.trainables)).isEqualTo(before);
        }
        assertThat(train(plan(3), some).losses().get(0)).isZero();
        try (AdapterTrainer trainer = trainer(plan(2))) {
            assertThat(trainer.evaluate(none)).isEqualTo(new Evaluation(0, 0, 0, false));
            for (Batches data : List.of(none, new Batches())) {
                assertThatThrownBy(() -> trainer.fit(some, data))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("the evaluation data has no labels that count");
            }
        }
    }

    @Test
    void what_takes_evaluation_data_is_refused_without_it() {
        for (TrainingPlan.Builder plan : List.of(plan(2).restoreBest(true), plan(2).earlyStopping(1, 0))) {
            try (AdapterTrainer trainer = trainer(plan)) {
                assertThatThrownBy(() -> trainer.fit(Batches.of(gpt, 1, 2, 4), null))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContainingAll("the plan ", "takes evaluation data");
            }
        }
    }
}
