package dev.samediff.samples;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.CausalLmIterator;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.jsonl.JsonlExamples;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.importer.OnnxWriter;
import java.io.IOException;
import java.nio.file.Path;

/** The whole way in a few lines: import, adapt, train, save, merge. README.md shows the marked lines. */
public final class QuickStart {
    private QuickStart() {}

    /** Runs with the arguments model.onnx, tokenizer.json, train.jsonl and a folder for the results. */
    public static void main(String[] arguments) throws IOException {
        run(Path.of(arguments[0]), Path.of(arguments[1]), Path.of(arguments[2]), Path.of(arguments[3]), 200);
    }

    static void run(Path onnx, Path tokenizerFile, Path data, Path out, int steps) throws IOException {
        // tag::quickstart
        ImportedModel imported = OnnxImporter.load(onnx);
        AdapterConfig config = AdapterConfig.of(Sorsa.rank(8));
        AdaptedModel model = AdaptedModel.inject(imported, config);

        Tokenizer tokenizer = Tokenizers.load(tokenizerFile);
        var texts = SequenceEncoder.of(tokenizer, 96).encodeAll(JsonlExamples.read(data));
        var batches = new CausalLmIterator(texts.sequences(), tokenizer.padId(), BatchPlan.of(16, 96));

        TaskLoss loss = Losses.causalLm(model.graph(), "logits");
        TrainingPlan plan =
                TrainingPlan.builder().steps(steps).learningRate(3e-3).build();
        try (var trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids"))) {
            trainer.fit(batches, null);
        }

        AdapterFolder.save(model.state(), out.resolve("adapter"));
        OnnxWriter.writeMerged(imported, model.mergedWeights(), out.resolve("merged.onnx"));
        // end::quickstart
    }
}
