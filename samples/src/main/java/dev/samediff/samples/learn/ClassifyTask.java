package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.predict.Classification;
import dev.samediff.adapters.predict.PredictionPlan;
import dev.samediff.adapters.predict.TextClassifier;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.ClassificationIterator;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.text.jsonl.LabelledTexts;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.adapters.train.metric.Metrics;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** The class of a text. */
final class ClassifyTask extends HeadTask<LabelledText> {
    /** A text with its most probable classes, for machines. */
    record Classified(String text, List<Classification.Candidate> classes) {}

    @Override
    public String name() {
        return "classify";
    }

    @Override
    public String peftType() {
        return "SEQ_CLS";
    }

    @Override
    public String expectedData() {
        return "a .csv or .jsonl file with text and label";
    }

    @Override
    public Examples<LabelledText> read(Path file) {
        LabelledTexts texts = LabelledTexts.read(file);
        if (texts.classes().size() < 2) {
            throw new InvalidInputException(
                    file + " has texts of one class only, `" + texts.classes().get(0) + "`; a classifier needs two");
        }
        return new Examples<>(texts.classes(), "", texts.examples());
    }

    @Override
    public List<LabelledText> read(Path file, TaskSettings known) {
        return LabelledTexts.read(file, known.labels()).examples();
    }

    @Override
    TaskHead head(TaskSettings settings) {
        Pooling pooling = Objects.requireNonNull(settings.pooling(), "pooling");
        return TaskHead.classification(settings.labels().size())
                .withPooling(pooling)
                .withSeed(settings.seed());
    }

    @Override
    String architecture() {
        return "ForSequenceClassification";
    }

    @Override
    public TaskLoss loss(SameDiff graph, String output, TaskSettings settings) {
        return Losses.classification(graph, output);
    }

    @Override
    public MultiDataSetIterator batches(
            List<LabelledText> examples, TextModel model, BatchPlan plan, TaskSettings settings) {
        return new ClassificationIterator(examples, model.tokenizer(), plan);
    }

    @Override
    public List<Metric> metrics(String measured, TaskSettings settings) {
        return List.of(Metrics.accuracy(measured), Metrics.macroF1(measured), Metrics.auc(measured));
    }

    @Override
    public Answers answers(
            ModelPool pool, TextModel model, String output, TaskSettings settings, Optional<String> adapter) {
        TextClassifier plain = TextClassifier.of(
                pool, model.tokenizer(), PredictionPlan.upTo(model.maxLength()), output, settings.labels());
        TextClassifier classifier = adapter.map(plain::withAdapter).orElse(plain);
        return (texts, top) -> {
            List<Classification> found = classifier.predict(texts);
            return IntStream.range(0, texts.size())
                    .mapToObj(i -> answer(texts.get(i), found.get(i), top))
                    .toList();
        };
    }

    private static Answers.Answer answer(String text, Classification found, int top) {
        Classification.Candidate best = found.best();
        return new Answers.Answer(
                String.format(
                        Locale.ROOT,
                        "%s\t%.4f\t%s",
                        Answers.cell(best.label()),
                        best.probability(),
                        Answers.cell(text)),
                new Classified(text, found.ranked().stream().limit(top).toList()));
    }
}
