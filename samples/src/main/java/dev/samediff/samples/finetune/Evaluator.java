package dev.samediff.samples.finetune;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.text.batch.CausalLmIterator;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.generation.CachedLogits;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.TextGenerator;
import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.output.Progress;
import dev.samediff.samples.task.EvaluationSet;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Measures a model as it is now: the loss by teacher forcing, exact match by greedy generation. */
public final class Evaluator {
    private static final int BATCH = 25;
    private static final int WIDTH_STEP = 16;

    private final LanguageModel model;
    private final Engine engine;
    private final EngineOptions options;
    private final TaskLoss loss;
    private final SequenceEncoder encoder;
    private int mostTokens;

    /**
     * Prepares measurements.
     *
     * @param model the model
     * @param engine executes the model's graph
     * @param options how texts are written
     * @param loss the task loss in the graph
     */
    public Evaluator(LanguageModel model, Engine engine, EngineOptions options, TaskLoss loss) {
        this.model = model;
        this.engine = engine;
        this.options = options;
        this.loss = loss;
        this.encoder = model.encoder();
    }

    /** Lets answers have so many tokens at most; otherwise a quarter more than the longest expected one has. */
    public void writeAtMost(int tokens) {
        mostTokens = tokens;
    }

    /**
     * Measures.
     *
     * @param set the examples
     * @param prompts most prompts to answer; 0 for the loss only
     * @param progress shows how far it is
     */
    public Measurement measure(EvaluationSet set, int prompts, Progress.Factory progress) {
        List<Sample> samples = set.hasPrompts() && prompts > 0 ? answer(set.first(prompts), progress) : List.of();
        double right = samples.stream().filter(Sample::right).count();
        return new Measurement(
                set.name(), loss(set), samples.isEmpty() ? Double.NaN : right / samples.size(), samples, Map.of());
    }

    private double loss(EvaluationSet set) {
        CausalLmIterator batches = new TaskBatches(model).evaluation(set);
        double sum = 0;
        double tokens = 0;
        while (batches.hasNext()) {
            MultiDataSet batch = batches.next();
            double labelled = batch.getLabelsMaskArray(0).sumNumber().doubleValue();
            INDArray mean =
                    engine.outputs(placeholders(batch), List.of(loss.loss())).get(loss.loss());
            sum += labelled * (mean == null ? Double.NaN : mean.getDouble(0));
            tokens += labelled;
        }
        return sum / tokens;
    }

    /** Returns the placeholders' values for a batch. */
    Map<String, INDArray> placeholders(MultiDataSet batch) {
        Map<String, INDArray> values = new HashMap<>();
        String[] names = model.inputs().placeholders();
        for (int i = 0; i < names.length; i++) {
            values.put(names[i], batch.getFeatures(i));
        }
        values.put(loss.labels(), batch.getLabels(0));
        values.put(loss.mask(), batch.getLabelsMaskArray(0));
        return values;
    }

    private List<Sample> answer(EvaluationSet set, Progress.Factory progress) {
        int longest = mostTokens > 0
                ? 0
                : set.examples().stream()
                        .mapToInt(example -> model.tokenizer().encode(example.response()).length)
                        .max()
                        .orElse(0);
        int multiple = model.inputs().fixedLength().orElse(WIDTH_STEP);
        GenerationPlan plan = GenerationPlan.greedy(
                        mostTokens > 0 ? mostTokens : longest + longest / 4 + 2, model.maxLength())
                .batched(BATCH)
                .paddedToMultipleOf(multiple);
        if (options.kind() == EngineOptions.Kind.REFERENCE) {
            return answer(set, new TextGenerator(model.logitsBy(engine), model.tokenizer(), plan), progress);
        }
        try (CachedLogits cached = model.cachedLogitsBy(engine, options)) {
            return answer(set, new TextGenerator(cached, model.tokenizer(), plan), progress);
        }
    }

    private List<Sample> answer(EvaluationSet set, TextGenerator generator, Progress.Factory progress) {
        List<Sample> samples = new ArrayList<>();
        try (Progress bar = progress.start(set.name(), set.examples().size())) {
            for (int start = 0; start < set.examples().size(); start += BATCH) {
                List<TextExample> part = set.examples()
                        .subList(start, Math.min(start + BATCH, set.examples().size()));
                List<Generation> written = generator.generateFrom(part.stream()
                        .map(one -> encoder.encodePrompt(one.prompt()))
                        .toList());
                for (int i = 0; i < part.size(); i++) {
                    samples.add(sample(set, part.get(i), written.get(i).text()));
                }
                bar.at(samples.size(), "");
            }
        }
        return samples;
    }

    private static Sample sample(EvaluationSet set, TextExample example, String written) {
        boolean right = set.exactMatch().matches(written, example.response());
        return new Sample(example.prompt(), example.response(), written, right);
    }
}
