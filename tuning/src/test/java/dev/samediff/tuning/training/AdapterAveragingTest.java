package dev.samediff.tuning.training;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.spark.AdapterAveraging;
import dev.samediff.tuning.spark.AdapterAveraging.Moments;
import dev.samediff.tuning.spark.ShardFactory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.nd4j.linalg.api.ndarray.INDArray;

@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AdapterAveragingTest {
    private static final int ROUNDS = 4;
    private static final int STEPS = 5;

    /** Shards of the small classifier; their data differ unless {@code same}. */
    record Shards(boolean same) implements ShardFactory {
        @Override
        public Shard create(int shard) {
            AdaptedModel model = model();
            TaskLoss loss = Classifier.loss(model.graph());
            return new Shard(
                    model,
                    loss,
                    Binding.of(loss, "x"),
                    () -> Classifier.data().train(16, same ? 3 : 3 + shard),
                    plan());
        }
    }

    @Test
    void one_shard_and_equal_shards_give_the_result_of_the_plain_trainer() throws IOException {
        AdaptedModel plain = model();
        TaskLoss loss = Classifier.loss(plain.graph());
        TrainingPlan plan = plan().steps(ROUNDS * STEPS).build();
        List<Double> losses;
        try (AdapterTrainer trainer = new AdapterTrainer(plain, loss, plan, Binding.of(loss, "x"))) {
            losses = trainer.fit(Classifier.data().train(16, 3), null).losses();
        }
        assertThat(train(1, true, Moments.KEPT).losses()).isEqualTo(losses);
        Map<String, INDArray> expected = plain.trainables();
        assertThatBits(train(1, true, Moments.KEPT).tensors()).isEqualTo(expected);
        assertThatBits(train(2, true, Moments.KEPT).tensors()).isEqualTo(expected);
        assertThatBits(train(2, true, Moments.AVERAGED).tensors()).isEqualTo(expected);
    }

    @Test
    void different_shards_learn_together_and_moments_matter() throws IOException {
        AdapterAveraging.Round kept = train(2, false, Moments.KEPT);
        AdapterAveraging.Round averaged = train(2, false, Moments.AVERAGED);
        assertThat(kept.losses()).hasSize(ROUNDS * STEPS);
        double before = evaluate(model());
        AdaptedModel model = model();
        model.restore(kept.tensors());
        assertThat(evaluate(model)).isLessThan(before);
        assertThatBits(kept.tensors()).isNotEqualTo(averaged.tensors());
        assertThatBits(train(2, false, Moments.KEPT).tensors()).as("again").isEqualTo(kept.tensors());
    }

    @Test
    void processes_of_their_own_give_the_same_tensors() throws IOException {
        AdapterAveraging.Round here = train(2, false, Moments.KEPT);
        AdapterAveraging.Round there = train("local-cluster[2,1,1024]", 2, false, Moments.KEPT);
        assertThatBits(there.tensors()).isEqualTo(here.tensors());
        assertThat(there.losses()).isEqualTo(here.losses());
    }

    private static AdapterAveraging.Round train(int shards, boolean same, Moments moments) throws IOException {
        return train("local[2]", shards, same, moments);
    }

    private static AdapterAveraging.Round train(String master, int shards, boolean same, Moments moments)
            throws IOException {
        List<Integer> steps = new ArrayList<>();
        AdapterAveraging.Round last = new AdapterAveraging(shards, ROUNDS, STEPS, moments)
                .train(master, 1, new Shards(same), round -> steps.add(round.step()));
        assertThat(steps).containsExactly(5, 10, 15, 20);
        return last;
    }

    private static double evaluate(AdaptedModel model) {
        TaskLoss loss = Classifier.loss(model.graph());
        try (AdapterTrainer trainer =
                new AdapterTrainer(model, loss, plan().steps(1).build(), Binding.of(loss, "x"))) {
            return trainer.evaluate(Classifier.data().evaluation()).loss();
        }
    }

    private static AdaptedModel model() {
        Map<String, Object> values = Map.of("method", "sorsa", "rank", 2L);
        return AdaptedModel.inject(Classifier.graph(), Classifier.defaults(1).adapter(new ParameterValues(values), 3));
    }

    private static TrainingPlan.Builder plan() {
        return TrainingPlan.builder().learningRate(1e-2).seed(3);
    }
}
