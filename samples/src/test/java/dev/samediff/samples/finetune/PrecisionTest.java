package dev.samediff.samples.finetune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.optimizer.Schedule;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.output.Progress;
import dev.samediff.samples.task.StoriesTask;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The bundled task in 30 steps of 8 stories; docs/performance.md says what the whole comes to. */
class PrecisionTest {
    private static final int STEPS = 30;
    private static final int BATCH = 8;

    @Test
    void bfloat16_ends_within_a_hundredth_of_the_loss_of_float32() {
        Measurement[] single = train(Precision.FLOAT32);
        Measurement[] half = train(Precision.BFLOAT16);
        assertThat(half[0].loss()).isNotEqualTo(single[0].loss()); // it does compute something else
        assertThat(single[1].loss()).isLessThan(0.2 * single[0].loss());
        assertThat(half[1].loss()).isCloseTo(single[1].loss(), within(0.01 * single[1].loss()));
    }

    /** Returns the measurements of the new stories before and after. */
    private static Measurement[] train(Precision precision) {
        BundledModel bundled = BundledModel.extract();
        LanguageModel model = LanguageModel.load(
                bundled.onnx(), Tokenizers.load(bundled.vocabulary()), Optional.empty(), Optional.empty());
        TrainingPlan plan = TrainingPlan.builder()
                .steps(STEPS)
                .learningRate(3e-3)
                .warmupSteps(STEPS / 20)
                .schedule(Schedule.COSINE)
                .engine(EngineOptions.defaults().withPrecision(precision))
                .build();
        FineTune job = new FineTune(
                model,
                StoriesTask.create(STEPS * BATCH, 24, 1),
                new FineTuneSettings(plan, BATCH, 1, 0, Optional.empty()),
                Progress.Factory.silent(),
                note -> {});
        FineTuneResult result = job.run(Candidate.adapters(model, AdapterConfig.of(Sorsa.rank(8))), Optional.empty());
        return new Measurement[] {result.before().get(0), result.after().get(0)};
    }
}
