package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.predict.PredictionPlan;
import dev.samediff.adapters.predict.TextEmbedder;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TextEmbedding;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.TextGroupIterator;
import dev.samediff.adapters.text.jsonl.TaskExamples;
import dev.samediff.adapters.text.jsonl.TextGroup;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.adapters.train.metric.Metrics;
import dev.samediff.importer.TensorSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** A vector for a text: near those of texts that belong to it, or as near as a score says. */
final class EmbedTask implements TextTask<TextGroup> {
    private static final double SCALE = 20;
    private static final String SCORED = "pairs with scores";
    private static final String PAIRS = "pairs";
    private static final String TRIPLETS = "triplets";

    @Override
    public String name() {
        return "embed";
    }

    @Override
    public String peftType() {
        return "FEATURE_EXTRACTION";
    }

    @Override
    public Set<Setting> settings() {
        return Set.of(Setting.POOLING, Setting.FEATURES);
    }

    @Override
    public String expectedData() {
        return "a .csv or .jsonl file with text_a and text_b, and score or negative if there are any";
    }

    @Override
    public Examples<TextGroup> read(Path file) {
        List<TextGroup> groups = TaskExamples.groups(file);
        return new Examples<>(List.of(), form(groups.get(0)), groups);
    }

    private static String form(TextGroup group) {
        if (group.texts().size() > 2) {
            return TRIPLETS;
        }
        return Double.isNaN(group.score()) ? PAIRS : SCORED;
    }

    @Override
    public List<TextGroup> read(Path file, TaskSettings known) {
        Examples<TextGroup> examples = read(file);
        if (!examples.form().equals(known.form())) {
            throw new InvalidInputException(file + " holds " + examples.form() + ", the training data are "
                    + known.form() + "; give both the same columns");
        }
        return examples.list();
    }

    @Override
    public TaskSettings settled(TextModel model, TaskSettings settings) {
        return settings.pooling() == null ? settings.withPooling(Pooling.MEAN) : settings;
    }

    @Override
    public String attach(TextModel model, TaskSettings settings) {
        Pooling pooling = settings.pooling() == null ? Pooling.MEAN : settings.pooling();
        if (pooling == Pooling.GIVEN) {
            return features(model, settings, 2).variable();
        }
        String mask = model.imported().inputs().stream()
                .filter(input -> input.name().contains("attention_mask"))
                .map(TensorSpec::variable)
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("an embedding is pooled over the tokens that the attention"
                        + " mask counts, and no input of the model is called so: it has "
                        + model.imported().inputs().stream()
                                .map(TensorSpec::name)
                                .toList()
                        + ". Export it with attention_mask, or take --pooling given with an output that is pooled"));
        return new TextEmbedding(pooling)
                .addTo(model.imported().graph(), features(model, settings, 3).variable(), mask);
    }

    private static TensorSpec features(TextModel model, TaskSettings settings, int axes) {
        String wanted = settings.features() == null ? settings.scores() : settings.features();
        return model.imported().outputs().stream()
                .filter(output -> wanted == null
                        ? output.dims().size() == axes
                        : output.name().equals(wanted))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("the model has no output "
                        + (wanted == null ? "with " + axes + " axes" : "`" + wanted + "`")
                        + " to take vectors from; its outputs are "
                        + model.imported().outputs().stream()
                                .map(output -> output.name() + " " + output.dims())
                                .toList()));
    }

    @Override
    public TaskLoss loss(SameDiff graph, String output, TaskSettings settings) {
        return switch (settings.form()) {
            case SCORED -> Losses.cosineSimilarity(graph, output);
            case TRIPLETS -> Losses.contrastive(graph, output, SCALE, 3);
            default -> Losses.contrastive(graph, output, SCALE);
        };
    }

    @Override
    public MultiDataSetIterator batches(
            List<TextGroup> examples, TextModel model, BatchPlan plan, TaskSettings settings) {
        return new TextGroupIterator(examples, model.tokenizer(), plan);
    }

    @Override
    public List<Metric> metrics(String measured, TaskSettings settings) {
        return settings.form().equals(SCORED) ? List.of(Metrics.cosineSpearman(measured)) : List.of();
    }

    @Override
    public Answers answers(
            ModelPool pool, TextModel model, String output, TaskSettings settings, Optional<String> adapter) {
        TextEmbedder plain = TextEmbedder.of(pool, model.tokenizer(), PredictionPlan.upTo(model.maxLength()), output);
        TextEmbedder embedder = adapter.map(plain::withAdapter).orElse(plain);
        return (texts, top) -> {
            List<float[]> found = embedder.predict(texts);
            return IntStream.range(0, texts.size())
                    .mapToObj(i -> new Answers.Answer(
                            numbers(found.get(i)) + "\t" + Answers.cell(texts.get(i)),
                            new Embedded(texts.get(i), found.get(i))))
                    .toList();
        };
    }

    private static String numbers(float... vector) {
        return IntStream.range(0, vector.length)
                .mapToObj(i -> String.format(Locale.ROOT, "%.6f", vector[i]))
                .collect(Collectors.joining(" "));
    }
}
