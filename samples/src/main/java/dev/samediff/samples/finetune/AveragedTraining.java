package dev.samediff.samples.finetune;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.Evaluation;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.samples.output.Progress;
import dev.samediff.tuning.spark.AdapterAveraging;
import dev.samediff.tuning.spark.ShardFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * Training on shards of the data as tasks of Spark. The averaged adapters are put into the candidate after every round, and
 * evaluated there as often as the plan says, at the end of a round.
 *
 * @param averaging shards and rounds
 * @param master where Spark runs
 * @param threads threads of each shard
 * @param factory makes the shards
 */
public record AveragedTraining(AdapterAveraging averaging, String master, int threads, ShardFactory factory) {
    /** Trains a candidate that has adapters; listeners hear of evaluations, as updates are made elsewhere. */
    TrainingResult train(
            Candidate candidate,
            TrainingPlan plan,
            Binding binding,
            MultiDataSetIterator data,
            Progress bar,
            TrainingListener... listeners) {
        long start = System.nanoTime();
        AdaptedModel model = candidate.adapted().orElseThrow();
        int total = averaging.rounds() * averaging.stepsPerRound();
        List<TrainingListener> audience = List.of(listeners);
        audience.forEach(listener -> listener.onStart(plan, total, 0));
        try (AdapterTrainer here = candidate.trainer(plan, binding)) {
            Evaluations evaluations = new Evaluations(here, data, audience);
            evaluations.at(0);
            AdapterAveraging.Round last = averaging.train(master, threads, factory, round -> {
                model.restore(round.tensors());
                double loss = round.losses().get(round.step() - 1);
                bar.at(round.step(), String.format(Locale.ROOT, "loss %.4f", loss));
                if (round.step() == total || isDue(plan.evaluateEvery(), round.step())) {
                    evaluations.at(round.step());
                }
            });
            TrainingResult result = new TrainingResult(
                    total,
                    last.losses(),
                    evaluations.made,
                    TrainingResult.Reason.COMPLETED,
                    (System.nanoTime() - start) / 1e9);
            audience.forEach(listener -> listener.onEnd(result));
            return result;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean isDue(int every, int step) {
        return every > 0 && step / every > (step - averaging.stepsPerRound()) / every;
    }

    /** The loss on the evaluation data, by steps. */
    private static final class Evaluations {
        private final AdapterTrainer trainer;
        private final MultiDataSetIterator data;
        private final List<TrainingListener> audience;
        private final List<Evaluation> made = new ArrayList<>();
        private double best = Double.POSITIVE_INFINITY;

        Evaluations(AdapterTrainer trainer, MultiDataSetIterator data, List<TrainingListener> audience) {
            this.trainer = trainer;
            this.data = data;
            this.audience = audience;
        }

        void at(int step) {
            Evaluation now = trainer.evaluate(data);
            Evaluation evaluation = new Evaluation(step, now.loss(), now.tokens(), now.loss() < best);
            best = Math.min(best, now.loss());
            made.add(evaluation);
            audience.forEach(listener -> listener.onEvaluation(evaluation));
        }
    }
}
