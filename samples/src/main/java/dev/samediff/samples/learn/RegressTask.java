package dev.samediff.samples.learn;

import dev.samediff.adapters.predict.PredictionPlan;
import dev.samediff.adapters.predict.TextRegressor;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.RegressionIterator;
import dev.samediff.adapters.text.jsonl.ScoredText;
import dev.samediff.adapters.text.jsonl.TaskExamples;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.adapters.train.metric.Metrics;
import dev.samediff.samples.output.Numbers;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** A number for a text. */
final class RegressTask extends HeadTask<ScoredText> {
    static final String NAME = "regress";

    /** A text with its number, for machines. */
    record Graded(String text, double score) {}

    @Override
    public String name() {
        return NAME;
    }

    /** PEFT has no type of its own for it: a sequence classifier with one class, as in transformers. */
    @Override
    public String peftType() {
        return "SEQ_CLS";
    }

    @Override
    public String expectedData() {
        return "a .csv or .jsonl file with text and score";
    }

    @Override
    public Examples<ScoredText> read(Path file) {
        return Examples.of(TaskExamples.scored(file));
    }

    @Override
    public List<ScoredText> read(Path file, TaskSettings known) {
        return TaskExamples.scored(file);
    }

    @Override
    TaskHead head(TaskSettings settings) {
        Pooling pooling = Objects.requireNonNull(settings.pooling(), "pooling");
        return TaskHead.regression(1).withPooling(pooling).withSeed(settings.seed());
    }

    @Override
    String architecture() {
        return "ForSequenceClassification";
    }

    @Override
    public TaskLoss loss(SameDiff graph, String output, TaskSettings settings) {
        return Losses.regression(graph, output);
    }

    @Override
    public MultiDataSetIterator batches(
            List<ScoredText> examples, TextModel model, BatchPlan plan, TaskSettings settings) {
        return new RegressionIterator(examples, model.tokenizer(), plan);
    }

    @Override
    public List<Metric> metrics(String measured, TaskSettings settings) {
        return List.of(Metrics.spearman(measured), Metrics.pearson(measured), Metrics.meanSquaredError(measured));
    }

    @Override
    public Answers answers(
            ModelPool pool, TextModel model, String output, TaskSettings settings, Optional<String> adapter) {
        TextRegressor plain = TextRegressor.of(pool, model.tokenizer(), PredictionPlan.upTo(model.maxLength()), output);
        TextRegressor regressor = adapter.map(plain::withAdapter).orElse(plain);
        return (texts, top) -> {
            List<double[]> found = regressor.predict(texts);
            return IntStream.range(0, texts.size())
                    .mapToObj(i -> new Answers.Answer(
                            Numbers.decimal(found.get(i)[0]) + "\t" + Answers.cell(texts.get(i)),
                            new Graded(texts.get(i), found.get(i)[0])))
                    .toList();
        };
    }
}
