package dev.samediff.samples.bench.scale;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.StartOptions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import dev.samediff.adapters.linalg.SvdChoice;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.importer.HuggingFaceImporter;
import dev.samediff.importer.ImportOptions;
import dev.samediff.importer.ImportedModel;
import dev.samediff.samples.bench.Statistics;
import dev.samediff.samples.machine.Memory;
import dev.samediff.samples.model.LargeModels;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** The process that trains: {@code ScaleProbe JOB}. */
final class ScaleProbe {
    private static final double LEARNING_RATE = 1e-4;

    private ScaleProbe() {}

    public static void main(String[] arguments) throws IOException {
        System.out.println(Json.line(run(Json.parse(arguments[0], ScaleJob.class))));
    }

    /** Does a job in this process. */
    static ScaleRun run(ScaleJob job) {
        long begun = ManagementFactory.getRuntimeMXBean().getStartTime();
        ImportedModel imported = HuggingFaceImporter.load(
                Path.of(job.folder()), ImportOptions.defaults().withWeights(LargeModels.place(Path.of(job.weights()))));
        double importSeconds = (System.currentTimeMillis() - begun) / 1e3;
        long importPeak = Memory.peak();
        long start = System.nanoTime();
        AdaptedModel model = AdaptedModel.inject(
                imported,
                AdapterConfig.of(AdapterMethods.named(job.method(), job.rank())),
                StartOptions.standard().withDecompositions(SvdChoice.auto().over(new LapackDecompositions())));
        double startSeconds = (System.nanoTime() - start) / 1e9;
        long startPeak = Memory.peak();
        TaskLoss loss = Losses.causalLm(model.graph(), "logits");
        TrainingPlan plan = TrainingPlan.builder()
                .steps(1 + job.steps())
                .learningRate(LEARNING_RATE)
                .engine(job.engine())
                .build();
        List<StepReport> steps = new ArrayList<>();
        long training = System.nanoTime();
        List<Double> ends = new ArrayList<>();
        try (AdapterTrainer trainer = new AdapterTrainer(
                model, loss, plan, Binding.of(loss, "input_ids", "attention_mask", "position_ids"))) {
            trainer.fit(new SingletonMultiDataSetIterator(batch(imported, job.length())), null, new TrainingListener() {
                @Override
                public void onStep(StepReport report) {
                    steps.add(report);
                    ends.add((System.nanoTime() - training) / 1e9);
                }
            });
        }
        List<Double> later = steps.stream().skip(1).map(StepReport::seconds).toList();
        return new ScaleRun(
                importSeconds,
                startSeconds,
                ends.get(0),
                Statistics.median(later),
                importPeak,
                startPeak,
                Memory.peak(),
                steps.get(steps.size() - 1).loss());
    }

    private static MultiDataSet batch(ImportedModel imported, int length) {
        int vocabulary = imported.tokens().orElseThrow();
        SplittableRandom random = new SplittableRandom(length);
        int[] ids = random.ints(length + 1L, 0, vocabulary).toArray();
        INDArray tokens = row(Arrays.copyOf(ids, length));
        INDArray mask = Nd4j.ones(DataType.LONG, 1, length);
        INDArray positions = Nd4j.arange(length).castTo(DataType.LONG).reshape(1, length);
        INDArray labels = row(Arrays.copyOfRange(ids, 1, length + 1)).castTo(DataType.INT);
        return new MultiDataSet(new INDArray[] {tokens, mask, positions}, new INDArray[] {labels});
    }

    private static INDArray row(int[] ids) {
        return Nd4j.createFromArray(ids).castTo(DataType.LONG).reshape(1, ids.length);
    }
}
