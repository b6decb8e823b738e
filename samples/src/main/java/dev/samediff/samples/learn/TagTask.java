package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.predict.PredictionPlan;
import dev.samediff.adapters.predict.TaggedWord;
import dev.samediff.adapters.predict.TextTagger;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.TaggingIterator;
import dev.samediff.adapters.text.jsonl.TaggedTexts;
import dev.samediff.adapters.text.jsonl.TaggedWords;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.adapters.train.metric.Metrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** A tag for every word of a text. */
final class TagTask extends HeadTask<TaggedWords> {
    private static final Pattern IOB2 = Pattern.compile("O|[BI]-.+");

    /** A text with its tagged words, for machines. */
    record Tagged(String text, List<TaggedWord> words) {}

    @Override
    public String name() {
        return "tag";
    }

    @Override
    public String peftType() {
        return "TOKEN_CLS";
    }

    @Override
    public Set<Setting> settings() {
        return Set.of(Setting.FEATURES);
    }

    @Override
    public String expectedData() {
        return "a .jsonl file with tokens and tags, or a file in the form of CoNLL with a word and its tag on each line";
    }

    @Override
    public Examples<TaggedWords> read(Path file) {
        TaggedTexts texts = TaggedTexts.read(file);
        if (texts.classes().size() < 2) {
            throw new InvalidInputException(
                    file + " has words of one tag only, `" + texts.classes().get(0) + "`; a tagger needs two");
        }
        return new Examples<>(texts.classes(), "", texts.examples());
    }

    @Override
    public List<TaggedWords> read(Path file, TaskSettings known) {
        return TaggedTexts.read(file, known.labels()).examples();
    }

    @Override
    public TaskSettings settled(TextModel model, TaskSettings settings) {
        return settings.scores() == null ? settings.withPooling(Pooling.EACH) : settings;
    }

    @Override
    TaskHead head(TaskSettings settings) {
        return TaskHead.tagging(settings.labels().size()).withSeed(settings.seed());
    }

    @Override
    String architecture() {
        return "ForTokenClassification";
    }

    @Override
    public TaskLoss loss(SameDiff graph, String output, TaskSettings settings) {
        return Losses.tokenClassification(graph, output);
    }

    @Override
    public MultiDataSetIterator batches(
            List<TaggedWords> examples, TextModel model, BatchPlan plan, TaskSettings settings) {
        return new TaggingIterator(examples, model.tokenizer(), plan);
    }

    /** F1 of entities where tags are those of entities. */
    @Override
    public List<Metric> metrics(String measured, TaskSettings settings) {
        List<Metric> metrics = new ArrayList<>();
        if (settings.labels().stream().allMatch(tag -> IOB2.matcher(tag).matches())) {
            metrics.add(Metrics.entityF1(measured, settings.labels()));
        }
        metrics.add(Metrics.accuracy(measured));
        metrics.add(Metrics.macroF1(measured));
        return metrics;
    }

    @Override
    public Answers answers(
            ModelPool pool, TextModel model, String output, TaskSettings settings, Optional<String> adapter) {
        TextTagger plain = TextTagger.of(
                pool, model.tokenizer(), PredictionPlan.upTo(model.maxLength()), output, settings.labels());
        TextTagger tagger = adapter.map(plain::withAdapter).orElse(plain);
        return (texts, top) -> {
            List<List<TaggedWord>> found =
                    tagger.predict(texts.stream().map(TextTagger::words).toList());
            return IntStream.range(0, texts.size())
                    .mapToObj(i -> answer(texts.get(i), found.get(i)))
                    .toList();
        };
    }

    /** The form of CoNLL, which is read as data again: a word and its tag on each line, an empty line behind a text. */
    private static Answers.Answer answer(String text, List<TaggedWord> words) {
        String lines = words.stream()
                .map(word -> word.word() + "\t" + word.tag() + "\n")
                .collect(Collectors.joining());
        return new Answers.Answer(lines, new Tagged(text, words));
    }
}
