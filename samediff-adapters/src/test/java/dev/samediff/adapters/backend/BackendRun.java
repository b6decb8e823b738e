package dev.samediff.adapters.backend;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What is computed on two backends to be compared, in a folder per method: forward, gradients, {@value #STEPS} training
 * steps of a small GPT. As a program it is the CPU's side: {@code BackendRun start FOLDER} makes adapters and results,
 * {@code BackendRun reload FOLDER} computes with the adapters that the other backend saved.
 */
final class BackendRun {
    static final int STEPS = 20;
    static final String LOGITS = "logits";
    static final String GRADIENT = "gradient of ";
    static final String LOSSES = "losses";
    static final String TRAINED_LOGITS = "logits after training";

    private static final int RANK = 4;

    private final TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 0);
    private final Map<String, INDArray> batch = gpt.batch(3, 6, 7);
    private final AdaptedModel model;

    private BackendRun(AdapterState state) {
        model = AdaptedModel.inject(gpt.graph, Map.of(), state);
    }

    public static void main(String[] arguments) throws IOException {
        if (Backend.CPU.select().cuda()) {
            throw new AssertionError("this must be the CPU's side");
        }
        for (String method : AdapterMethods.names()) {
            Path folder = Path.of(arguments[1], method);
            if (arguments[0].equals("start")) {
                AdaptedModel fresh = AdaptedModel.inject(
                        new TinyGpt(16, 1, 2, 11, 0).graph, AdapterConfig.of(AdapterMethods.named(method, RANK)));
                AdapterFolder.save(fresh.state(), start(folder));
                save(run(start(folder), folder.resolve("trained")), results(folder));
            } else {
                BackendRun reloaded = new BackendRun(AdapterFolder.load(otherTrained(folder)));
                save(Map.of(TRAINED_LOGITS, reloaded.logits()), reloaded(folder));
            }
        }
    }

    /** The adapter as it starts, made on the CPU. */
    static Path start(Path folder) {
        return folder.resolve("start");
    }

    /** What the CPU computed. */
    static Path results(Path folder) {
        return folder.resolve("results.safetensors");
    }

    /** The adapter that the other backend trained and saved. */
    static Path otherTrained(Path folder) {
        return folder.resolve("trained-elsewhere");
    }

    /** What the CPU computed with it. */
    static Path reloaded(Path folder) {
        return folder.resolve("reloaded.safetensors");
    }

    private static void save(Map<String, INDArray> arrays, Path file) throws IOException {
        new Safetensors(arrays, Map.of()).write(file);
    }

    /** Computes with a saved adapter on this process's backend, and saves the trained one. */
    static Map<String, INDArray> run(Path start, Path trained) throws IOException {
        BackendRun run = new BackendRun(AdapterFolder.load(start));
        Map<String, INDArray> results = new TreeMap<>();
        results.put(LOGITS, run.logits());
        TaskLoss loss = Losses.causalLm(run.gpt.graph, run.gpt.logits);
        try (Engine engine = new ReferenceEngine(run.gpt.graph, loss.loss(), run.model.trainableNames())) {
            engine.gradients(run.batch)
                    .byName()
                    .forEach((name, gradient) -> results.put(GRADIENT + name, gradient.dup('c')));
        }
        results.put(LOSSES, run.train(loss));
        results.put(TRAINED_LOGITS, run.logits());
        AdapterFolder.save(run.model.state(), trained);
        return results;
    }

    private INDArray logits() {
        try (Engine engine = new ReferenceEngine(gpt.graph, gpt.logits, List.of())) {
            INDArray logits = engine.outputs(batch, List.of(gpt.logits))
                    .values()
                    .iterator()
                    .next();
            return logits.dup('c');
        }
    }

    private INDArray train(TaskLoss loss) {
        TrainingPlan plan =
                TrainingPlan.builder().steps(STEPS).learningRate(3e-3).build();
        Binding binding = Binding.of(loss, "input_ids", "causal");
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, binding)) {
            TrainingResult result = trainer.fit(data(batch), null);
            return Nd4j.createFromArray(
                    result.losses().stream().map(Double::floatValue).toArray(Float[]::new));
        }
    }

    /** The same batch again and again. */
    static MultiDataSetIterator data(Map<String, INDArray> batch) {
        return new SingletonMultiDataSetIterator(new MultiDataSet(
                new INDArray[] {batch.get("input_ids"), batch.get("causal")},
                new INDArray[] {batch.get("labels")},
                null,
                new INDArray[] {batch.get("label_mask")}));
    }
}
