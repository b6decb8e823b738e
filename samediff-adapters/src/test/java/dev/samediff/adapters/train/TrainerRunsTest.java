package dev.samediff.adapters.train;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.optimizer.Schedule;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs of a trainer: evaluations, what is kept at the end, and fitting again. */
class TrainerRunsTest extends TinyTraining {
    private static TrainingListener into(List<StepReport> reports) {
        return new TrainingListener() {
            @Override
            public void onStep(StepReport report) {
                reports.add(report);
            }
        };
    }

    @Test
    void it_evaluates_at_the_start_as_planned_and_at_the_end() {
        try (AdapterTrainer trainer = trainer(plan(7).evaluateEvery(3))) {
            TrainingResult result = trainer.fit(Batches.of(gpt, 1, 2, 4), Batches.of(gpt, 1, 2, 4));
            assertThat(result.evaluations()).extracting(Evaluation::step).containsExactly(0, 3, 6, 7);
            assertThat(result.finalEvaluation().orElseThrow().step()).isEqualTo(7);
        }
    }

    private Batches other() {
        Batches other = new Batches();
        other.list.add(Batches.dataSet(gpt.batch(8, 6, 999)));
        return other;
    }

    /** The final evaluation was that of the parameters that were thrown away, and trials were ranked by it. */
    @Test
    void the_final_evaluation_is_that_of_the_parameters_that_are_kept() {
        TrainingPlan.Builder plan = plan(60).learningRate(0.05).evaluateEvery(2);
        for (boolean early : new boolean[] {true, false}) {
            for (boolean restore : new boolean[] {true, false}) {
                plan.restoreBest(restore).earlyStopping(early ? 3 : 0, 0);
                try (AdapterTrainer trainer = trainer(plan)) {
                    TrainingResult result = trainer.fit(Batches.of(gpt, 2, 4, 6), other());
                    Evaluation best = result.bestEvaluation().orElseThrow();
                    Evaluation last =
                            result.evaluations().get(result.evaluations().size() - 1);
                    assertThat(last.loss()).isGreaterThan(best.loss());
                    assertThat(result.finalEvaluation()).contains(restore ? best : last);
                    assertThat(trainer.evaluate(other()).loss())
                            .isEqualTo(result.finalEvaluation().orElseThrow().loss());
                    assertThat(result.reason())
                            .isEqualTo(early ? TrainingResult.Reason.STOPPED_EARLY : TrainingResult.Reason.COMPLETED);
                    assertThat(result.steps()).isEqualTo(last.step());
                    assertThat(early == (result.steps() < 60)).isTrue();
                }
            }
        }
    }

    @Test
    void without_evaluation_data_there_is_no_final_evaluation() {
        assertThat(train(plan(1), Batches.of(gpt, 1, 2, 4)).finalEvaluation()).isEmpty();
    }

    /** DL4J's habit. The second call made no step and returned the first one's losses. */
    @Test
    void fitting_again_goes_on_and_starts_the_schedule_again() {
        Batches batches = Batches.of(gpt, 5, 2, 4);
        List<StepReport> reports = new ArrayList<>();
        TrainingPlan.Builder plan = plan(4).schedule(Schedule.LINEAR).warmupSteps(1);
        try (AdapterTrainer trainer = trainer(plan)) {
            TrainingResult first = trainer.fit(batches, null, into(reports));
            TrainingResult second = trainer.fit(batches, null, into(reports));
            assertThat(first.steps()).isEqualTo(4);
            assertThat(second.steps()).isEqualTo(8);
            assertThat(second.losses())
                    .isEqualTo(
                            reports.subList(4, 8).stream().map(StepReport::loss).toList());
            assertThat(second.losses()).isNotEqualTo(first.losses());
        }
        assertThat(reports).extracting(StepReport::step).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(reports.stream().mapToDouble(StepReport::learningRate).toArray())
                .containsExactly(
                        IntStream.range(0, 8)
                                .mapToDouble(step -> plan.build().learningRate(step % 4, 4))
                                .toArray(),
                        within(0.0));
    }

    @Test
    void fitting_again_takes_the_batches_that_the_first_call_left() {
        Batches batches = Batches.of(gpt, 5, 2, 4);
        List<StepReport> twice = new ArrayList<>();
        try (AdapterTrainer trainer = trainer(plan(4))) {
            trainer.fit(batches, null, into(twice));
            trainer.fit(batches, null, into(twice));
        }
        TinyGpt twin = new TinyGpt(16, 1, 2, 11, 3);
        List<StepReport> once = new ArrayList<>();
        train(twin, plan(8), Batches.of(twin, 5, 2, 4), into(once));
        assertThat(twice)
                .extracting(StepReport::loss)
                .isEqualTo(once.stream().map(StepReport::loss).toList());
        assertThatBits(values(gpt, gpt.trainables)).isEqualTo(values(twin, twin.trainables));
    }

    @Test
    void epochs_are_epochs_in_every_call() {
        Batches batches = Batches.of(gpt, 3, 2, 4);
        Batches more = Batches.of(gpt, 2, 2, 4);
        try (AdapterTrainer trainer = trainer(TrainingPlan.builder().epochs(1))) {
            assertThat(trainer.fit(batches, null).steps()).isEqualTo(3);
            assertThat(trainer.fit(batches, null).steps()).isEqualTo(6);
            assertThat(trainer.fit(more, null).steps()).isEqualTo(8);
            assertThat(batches.taken).isEqualTo(3 + 6);
            assertThat(more.taken).isEqualTo(2 + 2);
        }
    }

    @Test
    void early_stopping_and_the_best_start_again_with_every_call() {
        TrainingPlan.Builder plan =
                plan(60).learningRate(0.05).evaluateEvery(2).earlyStopping(3, 0).restoreBest(true);
        try (AdapterTrainer trainer = trainer(plan)) {
            TrainingResult first = trainer.fit(Batches.of(gpt, 2, 4, 6), other());
            Batches easier = Batches.of(gpt, 2, 4, 6);
            TrainingResult second = trainer.fit(Batches.of(gpt, 2, 4, 6), easier);
            assertThat(second.steps()).isGreaterThan(first.steps());
            assertThat(second.evaluations().get(0).step()).isEqualTo(first.steps());
            assertThat(second.evaluations()).allMatch(evaluation -> evaluation.step() >= first.steps());
            assertThat(trainer.evaluate(easier).loss())
                    .isEqualTo(second.finalEvaluation().orElseThrow().loss());
        }
    }

    @Test
    void fitting_after_a_failure_goes_on_with_the_interrupted_run() {
        Batches batches = Batches.of(gpt, 5, 2, 4);
        INDArray mask = batches.list.get(2).getFeatures(1);
        INDArray good = mask.dup();
        mask.putScalar(0, 0, Float.NaN);
        List<StepReport> reports = new ArrayList<>();
        try (AdapterTrainer trainer = trainer(plan(6))) {
            assertThatThrownBy(() -> trainer.fit(batches, null, into(reports))).isInstanceOf(NonFiniteException.class);
            mask.assign(good);
            TrainingResult result = trainer.fit(batches, null, into(reports));
            assertThat(result.steps()).isEqualTo(6);
            assertThat(result.losses()).hasSize(6);
        }
        assertThat(reports).extracting(StepReport::step).containsExactly(1, 2, 3, 4, 5, 6);
    }
}
