package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.PreferenceIterator;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.batch.TextRecipe;
import dev.samediff.adapters.text.jsonl.PreferenceExample;
import dev.samediff.adapters.text.jsonl.TaskExamples;
import dev.samediff.adapters.train.ReferenceLogProbabilities;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.adapters.train.metric.Metrics;
import dev.samediff.samples.finetune.Candidate;
import dev.samediff.samples.model.LanguageModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** Which of two answers to a prompt is the better one. */
final class PreferTask implements TextTask<PreferenceExample> {
    private static final String DPO = "dpo";
    private static final String ORPO = "orpo";
    private static final double BETA = 0.1;

    @Override
    public String name() {
        return "prefer";
    }

    @Override
    public String peftType() {
        return "CAUSAL_LM";
    }

    @Override
    public Set<Setting> settings() {
        return Set.of(Setting.PREFERENCE_LOSS, Setting.BETA);
    }

    @Override
    public String expectedData() {
        return "a .jsonl or .csv file with prompt, chosen and rejected";
    }

    @Override
    public Examples<PreferenceExample> read(Path file) {
        return Examples.of(TaskExamples.preferences(file));
    }

    @Override
    public List<PreferenceExample> read(Path file, TaskSettings known) {
        return TaskExamples.preferences(file);
    }

    @Override
    public TaskSettings settled(TextModel model, TaskSettings settings) {
        String loss = settings.loss() == null ? DPO : settings.loss().toLowerCase(Locale.ROOT);
        if (!loss.equals(DPO) && !loss.equals(ORPO)) {
            throw new InvalidInputException(
                    "--preference-loss " + settings.loss() + " is none; there are dpo and orpo");
        }
        return settings.withLoss(loss, settings.beta() == null ? BETA : settings.beta())
                .withScores(LanguageModel.logits(
                        model.imported(),
                        model.tokenizer(),
                        model.inputs(),
                        Optional.ofNullable(settings.scores()),
                        model.maxLength()));
    }

    @Override
    public String attach(TextModel model, TaskSettings settings) {
        return HeadTask.required(model, Objects.requireNonNull(settings.scores(), "scores"));
    }

    @Override
    public TaskLoss loss(SameDiff graph, String output, TaskSettings settings) {
        double beta = Objects.requireNonNull(settings.beta(), "beta");
        return DPO.equals(settings.loss()) ? Losses.dpo(graph, output, beta, 0) : Losses.orpo(graph, output, beta);
    }

    @Override
    public MultiDataSetIterator batches(
            List<PreferenceExample> examples, TextModel model, BatchPlan plan, TaskSettings settings) {
        return PreferenceIterator.of(examples, SequenceEncoder.of(model.tokenizer(), model.maxLength()), plan);
    }

    /** What {@code generate} needs, to make prompts of the same tokens. */
    @Override
    public Optional<TextRecipe> recipe(TextModel model) {
        return Optional.of(TextRecipe.of(model.tokenizer().framing(), Optional.empty()));
    }

    /** DPO compares with the model without its adapter. */
    @Override
    public MultiDataSetIterator prepared(
            MultiDataSetIterator batches, Candidate candidate, TextModel model, EngineOptions options) {
        if (candidate.loss().targets().size() < 2) {
            return batches;
        }
        return ReferenceLogProbabilities.add(
                candidate
                        .adapted()
                        .orElseThrow(() -> new InvalidInputException("--method " + candidate.method()
                                + " leaves no reference: DPO compares with the model without its adapter; take an"
                                + " adapter's method, or --preference-loss orpo, which needs no reference")),
                candidate.loss(),
                (PreferenceIterator) batches,
                options,
                model.inputs().placeholders());
    }

    @Override
    public String measured(SameDiff graph, String output, TaskLoss loss) {
        return Losses.preferenceScores(graph, loss);
    }

    @Override
    public List<Metric> metrics(String measured, TaskSettings settings) {
        return List.of(Metrics.preferenceAccuracy(measured));
    }

    @Override
    public Answers answers(
            ModelPool pool, TextModel model, String output, TaskSettings settings, Optional<String> adapter) {
        throw new InvalidInputException("--task prefer trains a language model, which writes: take `generate --adapter"
                + " RUN/adapter`, and `evaluate` to see how often it prefers the better answer");
    }
}
