package dev.samediff.adapters.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.ClassificationIterator;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.adapters.train.metric.Metrics;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

class EvaluatorTest {
    private final CharTokenizer letters = CharTokenizer.ofText("abc");
    private final SameDiff graph = SameDiff.create();
    private final String logits = model();
    private final TaskLoss loss = Losses.classification(graph, logits);
    private final Binding inputs = Binding.of(loss, "input_ids");
    private final List<Metric> metrics = List.of(Metrics.accuracy(logits), Metrics.auc(logits));

    private String model() {
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
        SDVariable table = graph.constant(Nd4j.eye(letters.vocabularySize()).castTo(DataType.FLOAT));
        graph.gather(table, ids, 0).rename("features");
        String name = TaskHead.classification(2).withSeed(3).addTo(graph, "features", letters.vocabularySize());
        return name;
    }

    private ClassificationIterator data() {
        List<LabelledText> texts =
                List.of(new LabelledText("a", 0), new LabelledText("b", 1), new LabelledText("c", 1));
        return new ClassificationIterator(texts, letters, BatchPlan.of(2, 4));
    }

    @Test
    void a_model_has_the_numbers_that_a_trainer_reports_of_it() {
        Trainable head = Trainable.of(graph, List.of("classifier.weight", "classifier.bias"));
        TrainingPlan plan = TrainingPlan.builder().steps(1).learningRate(1e-9).build();
        Evaluation found = Evaluator.evaluate(graph, loss, inputs, data(), EngineOptions.defaults(), metrics);
        try (AdapterTrainer trainer = new AdapterTrainer(head, loss, plan, inputs)) {
            trainer.reporting(metrics.toArray(Metric[]::new));
            Evaluation reported = trainer.fit(data(), data()).evaluations().get(0);
            assertThat(found.loss()).isEqualTo(reported.loss());
            assertThat(found.metrics()).isEqualTo(reported.metrics()).containsKeys("accuracy", "auc");
            assertThat(found.tokens()).isEqualTo(3);
        }
    }

    @Test
    void what_is_not_in_the_graph_is_refused() {
        assertThatThrownBy(() -> Evaluator.evaluate(
                        graph, loss, inputs, data(), EngineOptions.defaults(), List.of(Metrics.accuracy("scores"))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("the metric accuracy is of `scores`");
    }
}
