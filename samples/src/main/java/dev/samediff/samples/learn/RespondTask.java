package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.predict.TextResponder;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.SequenceToSequenceIterator;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.jsonl.JsonlExamples;
import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.adapters.train.metric.Metrics;
import dev.samediff.importer.HubConfig;
import dev.samediff.importer.TensorSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** A text for a text, by an encoder and a decoder. */
final class RespondTask implements TextTask<TextExample> {
    private static final String LOGITS = "logits";

    /** A text with its answer, for machines. */
    record Answered(String text, String answer) {}

    @Override
    public String name() {
        return "seq2seq";
    }

    @Override
    public String peftType() {
        return "SEQ_2_SEQ_LM";
    }

    @Override
    public Set<Setting> settings() {
        return Set.of(Setting.DECODER_START);
    }

    @Override
    public String expectedData() {
        return "a .jsonl file with prompt and response";
    }

    @Override
    public Examples<TextExample> read(Path file) {
        List<TextExample> examples = JsonlExamples.read(file);
        for (int i = 0; i < examples.size(); i++) {
            if (examples.get(i).isPlainText()) {
                throw new InvalidInputException(file + ": example " + (i + 1)
                        + " has no prompt; an encoder reads the prompt, a decoder writes the response: give both");
            }
        }
        return Examples.of(examples);
    }

    @Override
    public List<TextExample> read(Path file, TaskSettings known) {
        return read(file).list();
    }

    @Override
    public Set<String> otherInputs() {
        return Set.of(SequenceToSequenceIterator.DECODER_INPUT);
    }

    @Override
    public TaskSettings settled(TextModel model, TaskSettings settings) {
        List<TensorSpec> inputs = model.imported().inputs();
        if (inputs.stream().noneMatch(input -> input.name().equals(SequenceToSequenceIterator.DECODER_INPUT))) {
            throw new InvalidInputException("the model has no input " + SequenceToSequenceIterator.DECODER_INPUT
                    + ", its inputs are "
                    + inputs.stream().map(TensorSpec::name).toList()
                    + "; --task seq2seq is for one file with encoder and decoder. Export it so, or take --task lm");
        }
        TaskSettings started = settings.decoderStart() != null
                ? settings
                : settings.withDecoderStart(HubConfig.beside(model.imported().source())
                        .decoderStart()
                        .orElse(model.tokenizer().padId()));
        return started.scores() == null ? started.withScores(logits(model)) : started;
    }

    private static String logits(TextModel model) {
        List<TensorSpec> fitting = model.imported().outputs().stream()
                .filter(output -> output.dims().size() == 3)
                .filter(output -> output.shape()[2] >= model.tokenizer().vocabularySize())
                .toList();
        return fitting.stream()
                .filter(output -> output.name().equals(LOGITS) || fitting.size() == 1)
                .findFirst()
                .map(TensorSpec::variable)
                .orElseThrow(() -> new InvalidInputException("which output scores the tokens is not clear: of "
                        + model.imported().outputs().stream()
                                .map(output -> output.name() + " " + output.dims())
                                .toList()
                        + " " + fitting.size() + " have a score for each of the tokenizer's "
                        + model.tokenizer().vocabularySize() + " tokens; name it with --logits"));
    }

    @Override
    public String attach(TextModel model, TaskSettings settings) {
        return HeadTask.required(model, Objects.requireNonNull(settings.scores(), "scores"));
    }

    @Override
    public TaskLoss loss(SameDiff graph, String output, TaskSettings settings) {
        return Losses.sequenceToSequence(graph, output);
    }

    @Override
    public List<String> placeholders(TextModel model) {
        return Stream.concat(
                        Stream.of(model.inputs().placeholders()), Stream.of(SequenceToSequenceIterator.DECODER_INPUT))
                .toList();
    }

    @Override
    public MultiDataSetIterator batches(
            List<TextExample> examples, TextModel model, BatchPlan plan, TaskSettings settings) {
        return new SequenceToSequenceIterator(
                examples, model.tokenizer(), Objects.requireNonNull(settings.decoderStart()), plan);
    }

    @Override
    public List<Metric> metrics(String measured, TaskSettings settings) {
        return List.of(Metrics.exactMatch(measured), Metrics.accuracy(measured), Metrics.perplexity());
    }

    @Override
    public Answers answers(
            ModelPool pool, TextModel model, String output, TaskSettings settings, Optional<String> adapter) {
        GenerationPlan plan = GenerationPlan.greedy(model.maxLength(), model.maxLength());
        int start = Objects.requireNonNull(settings.decoderStart());
        TextResponder plain = TextResponder.of(pool, model.tokenizer(), plan, output, start);
        TextResponder responder = adapter.map(plain::withAdapter).orElse(plain);
        return (texts, top) -> {
            List<Generation> found = responder.predict(texts);
            return IntStream.range(0, texts.size())
                    .mapToObj(i -> new Answers.Answer(
                            Answers.cell(found.get(i).text()) + "\t" + Answers.cell(texts.get(i)),
                            new Answered(texts.get(i), found.get(i).text())))
                    .toList();
        };
    }
}
