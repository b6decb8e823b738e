package dev.samediff.samples.bench.step;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.samples.bench.Statistics;
import dev.samediff.samples.bench.network.Workload;
import dev.samediff.samples.machine.Memory;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;

/** The process that trains with this library: {@code StepProbe ENGINE JOB}. The real path: import, inject, train. */
final class StepProbe {
    private StepProbe() {}

    public static void main(String[] arguments) throws IOException {
        StepJob job = Json.parse(arguments[1], StepJob.class);
        System.out.println(Json.line(run(EngineChoice.valueOf(arguments[0]), job)));
    }

    /** Does a job in this process. */
    static StepRun run(EngineChoice engine, StepJob job) throws IOException {
        Workload workload = new Workload(Path.of(job.folder()));
        ImportedModel imported = OnnxImporter.load(workload.model());
        AdaptedModel model = AdaptedModel.inject(
                imported.graph(), imported.modulePaths(), AdapterFolder.load(workload.adapter(job.method())));
        TaskLoss loss = Losses.causalLm(model.graph(), "logits");
        TrainingPlan plan = TrainingPlan.builder()
                .steps(job.warmUp() + job.steps())
                .learningRate(job.learningRate())
                .engine(engine.options(job.precision()).withWeightsInFile(Path.of(job.folder())))
                .build();
        Workload.Batch batch = workload.batch();
        List<Double> losses = new ArrayList<>();
        List<Double> times = new ArrayList<>();
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids"))) {
            trainer.fit(
                    new SingletonMultiDataSetIterator(new MultiDataSet(batch.ids(), batch.labels())),
                    null,
                    new TrainingListener() {
                        @Override
                        public void onStep(StepReport report) {
                            if (losses.size() < StepRun.LOSSES) {
                                losses.add(report.loss());
                            }
                            if (report.step() > job.warmUp()) {
                                times.add(1000 * report.seconds());
                            }
                        }
                    });
        }
        return new StepRun(Statistics.median(times), Memory.peak(), losses, engine.label());
    }
}
