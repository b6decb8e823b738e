package dev.samediff.samples.finetune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.output.Progress;
import dev.samediff.samples.task.StoriesTask;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DeviceMemoryTest {
    @Test
    void a_batch_that_does_not_fit_into_the_device_is_refused_before_training() {
        BundledModel bundled = BundledModel.extract();
        LanguageModel model = LanguageModel.load(
                bundled.onnx(), Tokenizers.load(bundled.vocabulary()), Optional.empty(), Optional.empty());
        Candidate candidate = Candidate.adapters(model, AdapterConfig.of(Lora.rank(4)));
        TrainingPlan plan = TrainingPlan.builder().steps(1).learningRate(1e-3).build();
        FineTuneSettings settings = new FineTuneSettings(plan, 64, 1, 0, Optional.empty());
        FineTune job = new FineTune(
                model,
                StoriesTask.create(4, 1, 1),
                settings,
                Progress.Factory.on(System.err, false),
                note -> assertThat(note).isNotBlank());
        try (Engine engine =
                new ReferenceEngine(candidate.graph(), candidate.loss().loss(), List.of())) {
            Evaluator evaluator = new Evaluator(model, engine, EngineOptions.reference(), candidate.loss());
            assertThatCode(() -> job.requireFits(candidate, evaluator, 8_000_000_000L))
                    .doesNotThrowAnyException();
            assertThatThrownBy(() -> job.requireFits(candidate, evaluator, 200_000_000L))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("batches of 64")
                    .hasMessageContaining("fit");
        }
    }
}
