package dev.samediff.adapters.train;

import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A small model to train, for tests of the trainer. */
class TinyTraining {
    final TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 3);
    final TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
    final Binding inputs = Binding.of(loss, "input_ids", "causal");

    static TrainingPlan.Builder plan(int steps) {
        return TrainingPlan.builder().steps(steps).learningRate(0.01);
    }

    AdapterTrainer trainer(TrainingPlan.Builder plan) {
        return new AdapterTrainer(Trainable.of(gpt.graph, gpt.trainables), loss, plan.build(), inputs);
    }

    TrainingResult train(TrainingPlan.Builder plan, Batches batches, TrainingListener... listeners) {
        return train(gpt, plan, batches, listeners);
    }

    TrainingResult train(TinyGpt model, TrainingPlan.Builder plan, Batches batches, TrainingListener... listeners) {
        Losses.causalLm(model.graph, model.logits);
        try (AdapterTrainer trainer =
                new AdapterTrainer(Trainable.of(model.graph, model.trainables), loss, plan.build(), inputs)) {
            return trainer.fit(batches, null, listeners);
        }
    }

    static Map<String, INDArray> values(TinyGpt model, List<String> names) {
        Map<String, INDArray> values = new LinkedHashMap<>();
        names.forEach(
                name -> values.put(name, model.graph.getArrForVarName(name).dup()));
        return values;
    }
}
